/** Filters for pictures in which no code was found. */

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
  /** The magnification of the middle of the picture. */
  readonly zoom: number;
}

/** The most effective one first; docs/performance.md has the measurements. */
export const FILTERS: readonly Filter[] = [
  { name: "stretched, sharpened", make: (grey) => sharpen(stretch(grey), 8, 2), zoom: 1 },
  { name: "smoothed, stretched in parts", make: (grey) => stretchParts(smooth(grey, 1)), zoom: 1 },
  { name: "enlarged", make: (grey) => enlargeMiddle(stretchParts(grey)), zoom: 2 },
  { name: "sharpened across", make: (grey) => sharpenAcross(stretch(grey), 8, 3), zoom: 1 },
];

/** Translate the position of a code from the filtered picture to the camera's. */
export function toPictureCoordinates(seen: DetectedCode, { zoom }: Filter, { width, height }: Grey): DetectedCode {
  const { rawValue, boundingBox: box } = seen;
  const back = (at: number, size: number) => size / 2 + (at - size / 2) / zoom;
  const [x, y] = [back(box.x, width), back(box.y, height)];
  return { rawValue, boundingBox: { x, y, width: box.width / zoom, height: box.height / zoom } };
}
