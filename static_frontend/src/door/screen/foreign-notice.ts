/** Codes that are not ours: the network's of the foyer, a poster's, another system's ticket.
 *
 * By their form alone, with the same rule as the server's (azionelab/checkin/codes.py).
 */

import type { View } from "./view.ts";
import type { Texts } from "./texts.ts";

/** Milliseconds that the notice is there. */
export const SHOWN = 3_000;
/** Milliseconds for which the camera's code must be out of sight before it is told of again. */
const QUIET = 60_000;
/** The same at a kiosk: who shows the code again wants an answer. */
export const QUIET_AT_KIOSK = 5_000;

/** Says that a code is none of ours, and goes away by itself. */
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

  /** A poster in view is seen all evening, and told of once. Who pulls a hand scanner's trigger is answered. */
  show(code: string, isByCamera: boolean, quiet = QUIET): void {
    if (isByCamera && this.wasSeen(code, quiet)) return;
    clearTimeout(this.timer);
    this.view.setText("foreign", this.texts.get("foreign"));
    this.timer = setTimeout(() => this.view.setText("foreign", undefined), SHOWN);
  }

  /** Something else is told now. */
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
