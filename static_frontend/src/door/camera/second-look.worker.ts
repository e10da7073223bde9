/** Worker: applies one filter to each picture and looks for codes, without blocking the page. */

/// <reference lib="webworker" />

import { makeDetectorWith, type Detector, type DetectedCode } from "./detector.ts";
import { greyOf, pictureOf } from "./pixels.ts";
import { toPictureCoordinates, FILTERS } from "./filters.ts";

/** The first message: the WebAssembly reader, if the browser has none. */
export interface Reader {
  readonly module: WebAssembly.Module | undefined;
}

export interface Asked {
  readonly picture: ImageData;
}

/** `tried` is the name of the filter. */
export interface Answer {
  readonly seen: DetectedCode[];
  readonly tried: string;
}

const worker = self as unknown as DedicatedWorkerGlobalScope;
let detector: Promise<Detector> | undefined;
/** The next filter. One that found a code is used again: the ticket is still in view. */
let turn = 0;

worker.addEventListener("message", ({ data }: MessageEvent<Reader | Asked>) => {
  if ("picture" in data) void answer(data.picture);
  else detector = makeDetectorWith(async () => data.module);
});

async function answer(picture: ImageData): Promise<void> {
  const way = FILTERS[turn % FILTERS.length]!;
  const grey = greyOf(picture);
  // Without a reader nothing is found; the page reports the error of its own reader.
  const found = await detector?.then((one) => one.detect(pictureOf(way.make(grey)))).catch(() => []);
  const seen = (found ?? []).map((one) => toPictureCoordinates(one, way, grey));
  if (seen.length === 0) turn += 1;
  worker.postMessage({ seen, tried: way.name } satisfies Answer);
}
