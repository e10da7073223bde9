/** Other evenings whose doors this phone may open by itself, if staff said so (docs/door.md). */

import { keep, readKept } from "./kept.ts";
import { Away, readPass, Refused, type Offered } from "./server.ts";
import type { View } from "./view.ts";
import type { Words } from "./words.ts";

const PASS = "azionelab.door.pass";
/** Milliseconds after which the evenings are asked for anew: their invitations are good for a quarter of an hour. */
const FRESH = 5 * 60_000;

/** A phone that may do so was told its pass. One for a single evening has none, and keeps that of before. */
export function keepPass(pass: string | null | undefined): void {
  if (pass) keep(PASS, pass);
}

export class Passes {
  private readonly view: View;
  private readonly words: Words;
  private evenings: readonly Offered[] = [];
  private askedAt: number | undefined;

  constructor(view: View, words: Words) {
    this.view = view;
    this.words = words;
  }

  /** Show them, but for the one whose door this phone is. */
  async show(now: number | undefined): Promise<void> {
    this.render(now);
    const pass = readKept(PASS);
    const isFresh = this.askedAt !== undefined && performance.now() - this.askedAt < FRESH;
    if (!pass || isFresh) return;
    this.askedAt = performance.now();
    try {
      this.evenings = await readPass(pass);
    } catch (error) {
      this.askedAt = undefined;
      if (error instanceof Away) return;
      if (!(error instanceof Refused)) throw error;
      // It ended, or staff revoked the phone.
      this.forget();
    }
    this.render(now);
  }

  /** Staff have taken it back. */
  forget(): void {
    keep(PASS, "");
    this.evenings = [];
  }

  private render(now: number | undefined): void {
    const others = this.evenings.filter(({ id }) => id !== now);
    this.view.evenings(
      others.map(({ invitation, show_title, venue_name, starts_at }) => ({
        address: `#join=${invitation}`,
        text: [show_title, this.words.when(starts_at), venue_name].join(", "),
      })),
    );
  }
}
