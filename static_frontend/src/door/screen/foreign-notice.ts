/** The notice on foreign codes (foreign-codes.ts). */

import type { View } from "./view.ts";
import type { Texts } from "./texts.ts";

/** Milliseconds that the notice stays. */
export const SHOWN = 3_000;
/** Milliseconds that a code must be out of view before the camera's next sight of it is reported. */
const QUIET = 60_000;
/** The same at a kiosk, where a visitor who shows the code again expects an answer. */
export const QUIET_AT_KIOSK = 5_000;

/** Says that a code is foreign, and disappears by itself. */
export class ForeignNotice {
  private readonly view: View;
  private readonly texts: Texts;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** When the camera saw each code last. */
  private readonly seen = new Map<string, number>();

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** A poster in view of the camera is reported once; each scan by a hand scanner is. */
  show(code: string, isByCamera: boolean, quiet = QUIET): void {
    if (isByCamera && this.wasSeen(code, quiet)) return;
    clearTimeout(this.timer);
    this.view.setText("foreign", this.texts.get("foreign"));
    this.timer = setTimeout(() => this.view.setText("foreign", undefined), SHOWN);
  }

  /** Hide the notice. */
  clear(): void {
    clearTimeout(this.timer);
    this.view.setText("foreign", undefined);
  }

  private wasSeen(code: string, quiet: number): boolean {
    const now = performance.now();
    for (const [one, at] of this.seen) if (now - at >= quiet) this.seen.delete(one);
    const before = this.seen.has(code);
    this.seen.set(code, now);
    return before;
  }
}
