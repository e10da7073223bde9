/** A second look, in a worker, at pictures in which no code was found; also detects dark pictures. */

import { loadReader, type DetectedCode } from "./detector.ts";
import SecondLookWorker from "./second-look.worker.ts?worker";
import type { Answer, Asked, Reader } from "./second-look.worker.ts";
import { brightness } from "./pixels.ts";

/** Brightness (0 to 255) below which a picture is too dark, and above which it is bright again. */
const DARK = 40;
const LIGHT = 50;
/** Milliseconds of dark pictures before it is reported: a hand may cover the lens for a moment. */
export const SAY_DARK = 1_500;

/** The worker, or its stand-in in tests. */
type Looker = Pick<Worker, "postMessage" | "addEventListener">;

export interface Listener {
  seen(codes: readonly DetectedCode[]): void;
  dark(isDark: boolean): void;
}

export class SecondLook {
  private listener: Listener | undefined;
  /** The listener when the current picture was sent. */
  private asker: Listener | undefined;
  private readonly looker: Looker;
  private readonly canvas = document.createElement("canvas");
  private isBusy = false;
  private asked = 0;
  private rested = 0;
  private darkSince: number | undefined;

  constructor(looker: Looker) {
    this.looker = looker;
    looker.addEventListener("message", ({ data }: MessageEvent<Answer>) => this.receive(data));
  }

  /** Set the listener; undefined while the camera is off. */
  listen(listener: Listener | undefined): void {
    this.listener = listener;
    this.darkSince = undefined;
  }

  /** Send the current picture, unless the worker is still busy. */
  offer(picture: CanvasImageSource & { videoWidth: number; videoHeight: number }): void {
    if (this.isBusy || performance.now() < this.rested) return;
    const { videoWidth: width, videoHeight: height } = picture;
    this.canvas.width = width;
    this.canvas.height = height;
    const drawn = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!drawn || width === 0) return;
    drawn.drawImage(picture, 0, 0);
    this.look(drawn.getImageData(0, 0, width, height));
  }

  look(picture: ImageData): void {
    this.isBusy = true;
    this.asker = this.listener;
    this.asked = performance.now();
    this.checkLight(brightness(picture));
    this.looker.postMessage({ picture } satisfies Asked, [picture.data.buffer]);
  }

  /** A code was read: the picture is bright enough. */
  read(): void {
    if (this.darkSince === undefined) return;
    this.darkSince = undefined;
    this.listener?.dark(false);
  }

  private receive({ seen }: Answer): void {
    this.isBusy = false;
    const now = performance.now();
    // Rest as long as it took, so that the phone does not get hot.
    this.rested = now + (now - this.asked);
    if (seen.length === 0 || this.asker !== this.listener) return;
    this.read();
    this.listener?.seen(seen);
  }

  private checkLight(bright: number): void {
    if (bright > (this.darkSince === undefined ? DARK : LIGHT)) this.read();
    else {
      this.darkSince ??= performance.now();
      if (performance.now() - this.darkSince >= SAY_DARK) this.listener?.dark(true);
    }
  }
}

/** Start the worker with its reader; undefined if the browser has no workers. */
export async function makeSecondLook(): Promise<SecondLook | undefined> {
  if (typeof Worker === "undefined") return undefined;
  const worker = new SecondLookWorker();
  worker.postMessage({ module: await loadReader() } satisfies Reader);
  return new SecondLook(worker);
}
