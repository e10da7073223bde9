/** The door's verdict, as azionelab/checkin/verdicts.py decides it: tests/checkin/verdicts.json holds both.
 *
 * This one decides when there is no network, from the list that the phone has.
 */

export type Kind =
  | "admitted"
  | "already_in"
  | "wrong_performance"
  | "not_confirmed"
  | "cancelled"
  | "expired"
  | "performance_cancelled"
  | "unknown"
  | "too_many"
  | "changed"
  | "released"
  | "full"
  | "not_listed";

/** `seats`, `admitted` and `released` count people. */
export interface Party {
  readonly performance_id: number;
  readonly state: string;
  readonly seats: number;
  readonly admitted: number;
  readonly released: number;
}

/** Without `people` all who are to come. `seen`: how many of the party were shown as in. */
export interface Asked {
  readonly people?: number;
  readonly seen?: number;
  readonly late?: boolean;
}

/** What is known of a ticket or reference that is not on the list (house.ts). */
export type Unlisted = "genuine" | "elsewhere" | "forged" | "older" | "ticket";

export interface Decision {
  readonly kind: Kind;
  readonly people: number;
}

const NOT_CONFIRMED: Readonly<Record<string, Kind>> = {
  pending: "not_confirmed",
  cancelled: "cancelled",
  expired: "expired",
};

/** People who are not in and whose places are held. */
export function toCome(party: Pick<Party, "seats" | "admitted" | "released">): number {
  return party.seats - party.admitted - party.released;
}

/** Of a code that is not on the list: as the server would say it, or that a person has to decide. */
export function decideUnlisted(ticket: Unlisted, isCancelled: boolean): Kind {
  if (ticket === "forged") return "unknown";
  if (ticket === "elsewhere") return "wrong_performance";
  return ticket === "genuine" && isCancelled ? "performance_cancelled" : "not_listed";
}

export function decide(
  party: Party | undefined,
  door: number,
  isCancelled: boolean,
  asked: Asked = {},
  free = 0,
): Decision {
  const no = (kind: Kind): Decision => ({ kind, people: 0 });
  if (!party) return no("unknown");
  if (party.performance_id !== door) return no("wrong_performance");
  if (isCancelled) return no("performance_cancelled");
  const refusal = NOT_CONFIRMED[party.state];
  if (refusal) return no(refusal);
  const outside = toCome(party) + (asked.late ? party.released : 0);
  if (outside === 0) {
    if (party.released === 0) return no("already_in");
    return no(free > 0 ? "released" : "full");
  }
  if (asked.seen !== undefined && asked.seen !== party.admitted) return no("changed");
  const wanted = asked.people ?? outside;
  if (wanted < 1 || wanted > outside) return no("too_many");
  if (wanted > toCome(party) + free) return no("full");
  return { kind: "admitted", people: wanted };
}
