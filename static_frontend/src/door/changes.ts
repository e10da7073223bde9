/** Why a ticket is not what it was: azionelab/checkin/texts/change_texts.py says the same on the page without the app. */

import type { Numbers, Performance } from "./server.ts";
import type { Words } from "./words.ts";

/** What is known of the evening and the hour. */
export interface Now {
  readonly now: Date;
  readonly performance?: Performance | undefined;
}

/** Why a booking is refused, by whom and when; undefined when nobody wrote that down. */
export function endWords(kind: string, party: Numbers, words: Words, { now, performance }: Now): string | undefined {
  const since = `${kind}.since`;
  const calledOff = performance?.cancelled_at;
  if (kind === "performance_cancelled" && calledOff) {
    return words.say(since, { when: whenWords(calledOff, words, now) });
  }
  if (!party.ended || !words.knows(since)) return undefined;
  const { at, by } = party.ended;
  const name = by && words.knows(`${kind}.${by}`) ? `${kind}.${by}` : since;
  return words.say(name, { when: whenWords(at, words, now) });
}

/** What else is to be known of a party: that it became smaller, and that places of it were released. */
export function changesOf(party: Numbers, words: Words, { now, performance }: Now): string[] {
  const { reduced, released, seats: num } = party;
  const releasedAt = performance?.released_at;
  return [
    ...(reduced
      ? [words.say(`reduced.${reduced.by}`, { seats: reduced.seats, num, when: whenWords(reduced.at, words, now) })]
      : []),
    ...(released > 0 && releasedAt
      ? [words.say("released.since", { num: released, when: whenWords(releasedAt, words, now) })]
      : []),
  ];
}

function whenWords(moment: string, words: Words, now: Date): string {
  const at = words.clock(moment);
  const day = words.date(moment);
  return words.day(moment) === words.day(now)
    ? words.say("when.today", { at })
    : words.say("when.day", { day, at });
}
