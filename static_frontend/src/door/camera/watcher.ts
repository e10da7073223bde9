/** Watches the camera's picture and reports each code once. */

import type { Detector, DetectedCode } from "./detector.ts";
import type { SecondLook } from "./second-look.ts";

/** The least pause between two reads, in milliseconds; otherwise as long as a read takes, to keep the phone cool. */
export const REST = 20;
/** Milliseconds to wait for a new frame before reading anyway. */
const PICTURE_LATE = 250;
/** Milliseconds a code must be out of sight before it counts as shown again. */
export const FORGET_AFTER = 2_000;

export class Watcher {
  private readonly picture: HTMLVideoElement;
  private readonly detector: Detector;
  private readonly onCode: (code: string) => void;
  private readonly secondLook: Pick<SecondLook, "offer" | "read"> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private paused = false;
  /** Reported codes, and when each was last in view. */
  private readonly known = new Map<string, number>();

  constructor(
    picture: HTMLVideoElement,
    detector: Detector,
    tell: (code: string) => void,
    secondLook?: Pick<SecondLook, "offer" | "read">,
  ) {
    this.picture = picture;
    this.detector = detector;
    this.onCode = tell;
    this.secondLook = secondLook;
  }

  start(): void {
    this.running = true;
    this.schedule(REST);
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** While paused, codes in view are still tracked, so that a ticket held for long is not reported twice. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  private schedule(rest: number): void {
    this.timer = setTimeout(() => this.awaitPicture(), rest);
  }

  /** Read at the next frame. A background tab gets no frames, and reads now and then. */
  private awaitPicture(): void {
    if (!("requestVideoFrameCallback" in this.picture)) return void this.scanPicture();
    const picture = this.picture;
    const awaited = picture.requestVideoFrameCallback(() => {
      clearTimeout(this.timer);
      void this.scanPicture();
    });
    this.timer = setTimeout(() => {
      picture.cancelVideoFrameCallback(awaited);
      void this.scanPicture();
    }, PICTURE_LATE);
  }

  private async scanPicture(): Promise<void> {
    const began = performance.now();
    const found = await this.read();
    if (!this.running) return;
    const codes = found.filter((code) => code.rawValue);
    if (codes.length > 0) this.secondLook?.read();
    else if (this.hasPicture) this.secondLook?.offer(this.picture);
    this.report(codes);
    this.schedule(Math.max(REST, performance.now() - began));
  }

  private async read(): Promise<DetectedCode[]> {
    if (!this.hasPicture) return [];
    try {
      return await this.detector.detect(this.picture);
    } catch {
      // Some frames cannot be read, for example while the phone turns: wait for the next one.
      return [];
    }
  }

  private get hasPicture(): boolean {
    return this.picture.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  }

  /** Report the best new code in view. */
  report(found: readonly DetectedCode[]): void {
    const now = performance.now();
    for (const [code, seen] of this.known) if (now - seen >= FORGET_AFTER) this.known.delete(code);
    const fresh = found.filter(({ rawValue }) => !this.known.has(rawValue));
    for (const { rawValue } of found) if (this.known.has(rawValue)) this.known.set(rawValue, now);
    if (this.paused || fresh.length === 0) return;
    const shown = fresh.reduce((best, code) => (this.isBetter(code, best) ? code : best));
    this.known.set(shown.rawValue, now);
    this.onCode(shown.rawValue);
  }

  /** Prefer the code that is held towards the camera: nearer to the middle, or larger. */
  private isBetter(one: DetectedCode, other: DetectedCode): boolean {
    return this.distance(one) < this.distance(other);
  }

  /** Distance from the middle of the picture, in widths of the code. */
  private distance({ boundingBox: box }: DetectedCode): number {
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const { videoWidth, videoHeight } = this.picture;
    return Math.hypot(x - videoWidth / 2, y - videoHeight / 2) / Math.max(box.width, 1);
  }
}
