/** Tries one picture after another in other ways, beside the page, whose own picture stays smooth. */

/// <reference lib="webworker" />

import { makeDetectorWith, type Detector, type DetectedCode } from "./detector.ts";
import { greyOf, pictureOf } from "./pixels.ts";
import { toPictureCoordinates, FILTERS } from "./filters.ts";

/** The first message: what reads codes, where the browser does not. */
export interface Reader {
  readonly module: WebAssembly.Module | undefined;
}

export interface Asked {
  readonly picture: ImageData;
}

/** `tried` names the way in which it was looked at. */
export interface Answer {
  readonly seen: DetectedCode[];
  readonly tried: string;
}

const worker = self as unknown as DedicatedWorkerGlobalScope;
let detector: Promise<Detector> | undefined;
/** The way to try next. One that has found something is taken again: the ticket is still there. */
let turn = 0;

worker.addEventListener("message", ({ data }: MessageEvent<Reader | Asked>) => {
  if ("picture" in data) void answer(data.picture);
  else detector = makeDetectorWith(async () => data.module);
});

async function answer(picture: ImageData): Promise<void> {
  const way = FILTERS[turn % FILTERS.length]!;
  const grey = greyOf(picture);
  // Without a reader nothing is seen here; the page has its own, and says what is wrong with it.
  const found = await detector?.then((one) => one.detect(pictureOf(way.make(grey)))).catch(() => []);
  const seen = (found ?? []).map((one) => toPictureCoordinates(one, way, grey));
  if (seen.length === 0) turn += 1;
  worker.postMessage({ seen, tried: way.name } satisfies Answer);
}
