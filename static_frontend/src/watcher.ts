/** Watches the camera's picture and tells each code once. */

import type { Detector } from "./detector.ts";

/** Milliseconds between two looks. */
export const LOOK_EVERY = 120;
/** Milliseconds a code must be out of sight before it counts as shown again. */
export const FORGET_AFTER = 2_000;

export class Watcher {
  private readonly picture: HTMLVideoElement;
  private readonly detector: Detector;
  private readonly tell: (code: string) => void;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private paused = false;
  private last = "";
  private lastSeen = 0;

  constructor(picture: HTMLVideoElement, detector: Detector, tell: (code: string) => void) {
    this.picture = picture;
    this.detector = detector;
    this.tell = tell;
  }

  start(): void {
    this.running = true;
    this.schedule();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** While paused codes are still seen, so that a ticket held too long is not told twice. */
  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  private schedule(): void {
    this.timer = setTimeout(() => void this.look(), LOOK_EVERY);
  }

  private async look(): Promise<void> {
    const [found] = await this.read();
    if (!this.running) return;
    if (found) this.meet(found.rawValue);
    this.schedule();
  }

  private async read(): Promise<{ rawValue: string }[]> {
    if (this.picture.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return [];
    try {
      return await this.detector.detect(this.picture);
    } catch {
      // A frame that cannot be read, as while the camera turns: the next one comes soon.
      return [];
    }
  }

  private meet(code: string): void {
    const now = Date.now();
    const known = code === this.last && now - this.lastSeen < FORGET_AFTER;
    if (known || !this.paused) {
      this.last = code;
      this.lastSeen = now;
    }
    if (!known && !this.paused && code) this.tell(code);
  }
}
