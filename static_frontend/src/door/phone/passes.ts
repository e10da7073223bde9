/** Other evenings whose doors this phone may open by itself, if staff said so (docs/door.md). */

import { storeItem, readItem } from "../sync/local-storage.ts";
import { Unreachable, readPass, Refused, type OfferedPerformance } from "../sync/server.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

const PASS = "azionelab.door.pass";
/** Milliseconds after which the evenings are asked for anew: their invitations are good for a quarter of an hour. */
const FRESH = 5 * 60_000;

/** A phone that may do so was told its pass. One for a single evening has none, and keeps that of before. */
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

  /** Show them, but for the one whose door this phone is. */
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
      // It ended, or staff revoked the phone.
      this.forget();
    }
    this.render(now);
  }

  /** Staff have taken it back. */
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
