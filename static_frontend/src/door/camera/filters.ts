/** Other ways to look at a picture in which no code was seen. */

import type { DetectedCode } from "./detector.ts";
import {
  enlargeMiddle,
  sharpen,
  sharpenAcross,
  smooth,
  stretch,
  stretchParts,
  type Grey,
} from "./pixels.ts";

export interface Filter {
  readonly name: string;
  readonly make: (grey: Grey) => Grey;
  /** How many times larger the middle of the picture is in it. */
  readonly zoom: number;
}

/** What reads most comes first; docs/performance.md says what each was measured to read. */
export const FILTERS: readonly Filter[] = [
  { name: "stretched, sharpened", make: (grey) => sharpen(stretch(grey), 8, 2), zoom: 1 },
  { name: "smoothed, stretched in parts", make: (grey) => stretchParts(smooth(grey, 1)), zoom: 1 },
  { name: "enlarged", make: (grey) => enlargeMiddle(stretchParts(grey)), zoom: 2 },
  { name: "sharpened across", make: (grey) => sharpenAcross(stretch(grey), 8, 3), zoom: 1 },
];

/** Where in the camera's picture that is which was seen in a try's. */
export function toPictureCoordinates(seen: DetectedCode, { zoom }: Filter, { width, height }: Grey): DetectedCode {
  const { rawValue, boundingBox: box } = seen;
  const back = (at: number, size: number) => size / 2 + (at - size / 2) / zoom;
  const [x, y] = [back(box.x, width), back(box.y, height)];
  return { rawValue, boundingBox: { x, y, width: box.width / zoom, height: box.height / zoom } };
}
