/** Texts on changed bookings, as azionelab/checkin/texts/change_texts.py makes for the door page. */

import type { PartyInfo, Performance } from "../sync/protocol.ts";
import type { Texts } from "./texts.ts";

/** The performance and the time that texts refer to. */
export interface TextContext {
  readonly now: Date;
  readonly performance?: Performance | undefined;
}

/** Who ended the booking or the performance, and when; undefined if that is not recorded. */
export function endText(kind: string, party: PartyInfo, texts: Texts, { now, performance }: TextContext): string | undefined {
  const since = `${kind}.since`;
  const calledOff = performance?.cancelled_at;
  if (kind === "performance_cancelled" && calledOff) {
    return texts.get(since, { when: whenText(calledOff, texts, now) });
  }
  if (!party.ended || !texts.has(since)) return undefined;
  const { at, by } = party.ended;
  const name = by && texts.has(`${kind}.${by}`) ? `${kind}.${by}` : since;
  return texts.get(name, { when: whenText(at, texts, now) });
}

/** One line if the party was reduced, and one if seats of it were released. */
export function changeTexts(party: PartyInfo, texts: Texts, { now, performance }: TextContext): string[] {
  const { reduced, released, seats: num } = party;
  const releasedAt = performance?.released_at;
  return [
    ...(reduced
      ? [texts.get(`reduced.${reduced.by}`, { seats: reduced.seats, num, when: whenText(reduced.at, texts, now) })]
      : []),
    ...(released > 0 && releasedAt
      ? [texts.get("released.since", { num: released, when: whenText(releasedAt, texts, now) })]
      : []),
  ];
}

function whenText(moment: string, texts: Texts, now: Date): string {
  const at = texts.clock(moment);
  const day = texts.date(moment);
  return texts.day(moment) === texts.day(now)
    ? texts.get("when.today", { at })
    : texts.get("when.day", { day, at });
}
