/** Codes that are not ours: the network's of the foyer, a poster's, another system's ticket.
 *
 * By their form alone, with the same rule as the server's (azionelab/checkin/codes.py).
 */

import { namesSomebody } from "./house.ts";
import type { View } from "./view.ts";
import type { Words } from "./words.ts";

/** Milliseconds that the notice is there. */
export const SHOWN = 3_000;
/** Milliseconds for which the camera's code must be out of sight before it is told of again. */
const QUIET = 60_000;
/** The same at a kiosk: who shows the code again wants an answer. */
export const QUIET_AT_KIOSK = 5_000;
// A ticket of which a part is missing is ours, too.
const ADDRESS = /\/(t\/[0-9]|checkin\/ticket\/)/i;

export function isForeign(code: string): boolean {
  return !namesSomebody(code) && !ADDRESS.test(code);
}

/** Says that a code is none of ours, and goes away by itself. */
export class ForeignNotice {
  private readonly view: View;
  private readonly words: Words;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** When the camera saw each code last. */
  private readonly seen = new Map<string, number>();

  constructor(view: View, words: Words) {
    this.view = view;
    this.words = words;
  }

  /** A poster in view is seen all evening, and told of once. Who pulls a hand scanner's trigger is answered. */
  tell(code: string, isByCamera: boolean, quiet = QUIET): void {
    if (isByCamera && this.wasSeen(code, quiet)) return;
    clearTimeout(this.timer);
    this.view.say("foreign", this.words.say("foreign"));
    this.timer = setTimeout(() => this.view.say("foreign", undefined), SHOWN);
  }

  /** Something else is told now. */
  clear(): void {
    clearTimeout(this.timer);
    this.view.say("foreign", undefined);
  }

  private wasSeen(code: string, quiet: number): boolean {
    const now = performance.now();
    for (const [one, at] of this.seen) if (now - at >= quiet) this.seen.delete(one);
    const before = this.seen.has(code);
    this.seen.set(code, now);
    return before;
  }
}
