/** Passes: other performances that this phone may enrol for by itself, if staff allowed it (docs/door.md). */

import { storeItem, readItem } from "../sync/local-storage.ts";
import type { OfferedPerformance } from "../sync/protocol.ts";
import { Unreachable, readPass, Refused } from "../sync/server.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

const PASS = "azionelab.door.pass";
/** Milliseconds after which the performances are loaded again: their invitations expire after a quarter of an hour. */
const FRESH = 5 * 60_000;

/** Store a pass. An enrolment without one, for a single performance, leaves the previous pass in place. */
export function keepPass(pass: string | null | undefined): void {
  if (pass) storeItem(PASS, pass);
}

export class Passes {
  private readonly view: View;
  private readonly texts: Texts;
  private evenings: readonly OfferedPerformance[] = [];
  private askedAt: number | undefined;

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** Show the other performances; `now` is the one that this phone is enrolled for. */
  async show(now: number | undefined): Promise<void> {
    this.render(now);
    const pass = readItem(PASS);
    const isFresh = this.askedAt !== undefined && performance.now() - this.askedAt < FRESH;
    if (!pass || isFresh) return;
    this.askedAt = performance.now();
    try {
      this.evenings = await readPass(pass);
    } catch (error) {
      this.askedAt = undefined;
      if (error instanceof Unreachable) return;
      if (!(error instanceof Refused)) throw error;
      // The pass has expired, or the phone was revoked.
      this.forget();
    }
    this.render(now);
  }

  /** Delete the pass. */
  forget(): void {
    storeItem(PASS, "");
    this.evenings = [];
  }

  private render(now: number | undefined): void {
    const others = this.evenings.filter(({ id }) => id !== now);
    this.view.evenings(
      others.map(({ invitation, show_title, venue_name, starts_at }) => ({
        address: `#join=${invitation}`,
        text: [show_title, this.texts.when(starts_at), venue_name].join(", "),
      })),
    );
  }
}
