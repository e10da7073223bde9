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
  | "not_listed"
  | "let_out"
  | "in_again"
  | "some_out"
  | "none_in"
  | "none_out"
  | "no_reentry";

/** Which way people go; "any": whoever of the party is not in the building, comes or comes back. */
export type Way = "in" | "out" | "again" | "any";

/** `seats`, `admitted` and `released` count people; `outside` of those admitted went out and are not back. */
export interface Party {
  readonly performance_id: number;
  readonly state: string;
  readonly seats: number;
  readonly admitted: number;
  readonly released: number;
  readonly outside?: number;
}

/** Without `people` all who are to come, or who can go out or come back. `seen`: how many of the party were
 * shown as in; of "out" and "again" as in the building.
 */
export interface ScanOptions {
  readonly people?: number;
  readonly seen?: number;
  readonly late?: boolean;
  readonly way?: Way;
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

/** People of a party who are in the building. */
export function insideOf({ admitted, outside = 0 }: Pick<Party, "admitted" | "outside">): number {
  return Math.max(0, admitted - outside);
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
  asked: ScanOptions = {},
  free = 0,
  reentry = false,
): Decision {
  const no = (kind: Kind): Decision => ({ kind, people: 0 });
  if (!party) return no("unknown");
  if (party.performance_id !== door) return no("wrong_performance");
  if (isCancelled) return no("performance_cancelled");
  const refusal = NOT_CONFIRMED[party.state];
  if (refusal) return no(refusal);
  const way = resolveWay(party, asked.way);
  if (way === "out") {
    return reentry ? move(party, asked, insideOf(party), "let_out", "none_in") : no("no_reentry");
  }
  if (way === "again") return move(party, asked, party.outside ?? 0, "in_again", "none_out");
  if (way === "any") return no("some_out");
  const missing = toCome(party) + (asked.late ? party.released : 0);
  if (missing === 0) {
    if (party.released === 0) return no("already_in");
    return no(free > 0 ? "released" : "full");
  }
  if (asked.seen !== undefined && asked.seen !== party.admitted) return no("changed");
  const wanted = asked.people ?? missing;
  if (wanted < 1 || wanted > missing) return no("too_many");
  if (wanted > toCome(party) + free) return no("full");
  return { kind: "admitted", people: wanted };
}

/** With "any" it is not clear while some are out and others never came. */
function resolveWay({ admitted, seats, outside = 0 }: Party, way: Way = "in"): Way {
  if (way !== "any") return way;
  if (outside === 0) return "in";
  return admitted === seats ? "again" : "any";
}

/** People who are in and go out, or come back, of whom so many are `able` to. */
function move(party: Party, asked: ScanOptions, able: number, done: Kind, nobody: Kind): Decision {
  if (able === 0) return { kind: nobody, people: 0 };
  if (asked.seen !== undefined && asked.seen !== insideOf(party)) return { kind: "changed", people: 0 };
  const people = asked.people ?? able;
  return people < 1 || people > able ? { kind: "too_many", people: 0 } : { kind: done, people };
}

/** What a verdict on so many people moves: `people` more are let in, and so many are `gone` out (or back, below 0). */
export function movement(kind: string, people: number): { people: number; gone: number } {
  if (kind === "let_out") return { people: 0, gone: people };
  return kind === "in_again" ? { people: 0, gone: -people } : { people, gone: 0 };
}
