/** Verdicts without a server, by the same rules as azionelab/checkin/verdicts.py. Both are tested with the table
 * tests/checkin/verdicts.json.
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

/** The direction; "any": in or again, for people of the party who are not in the building. */
export type Way = "in" | "out" | "again" | "any";

/** All numbers count people. `outside` are those of the `admitted` who went out and are not back. */
export interface Party {
  readonly performance_id: number;
  readonly state: string;
  readonly seats: number;
  readonly admitted: number;
  readonly released: number;
  readonly outside?: number;
}

/** Without `people` it is all who are still to come, or who can go out or come back. `seen`: how many of the party
 * the screen showed as in; for "out" and "again" as in the building.
 */
export interface ScanOptions {
  readonly people?: number;
  readonly seen?: number;
  readonly late?: boolean;
  readonly way?: Way;
}

/** What is known of an unlisted ticket or reference (`CodeMatch` in party-list.ts). */
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

/** People who have not come and whose seats are still held. */
export function toCome(party: Pick<Party, "seats" | "admitted" | "released">): number {
  return party.seats - party.admitted - party.released;
}

/** People of a party who are in the building. */
export function insideOf({ admitted, outside = 0 }: Pick<Party, "admitted" | "outside">): number {
  return Math.max(0, admitted - outside);
}

/** The verdict on an unlisted code: the server's, or "not_listed", which leaves it to the user. */
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

/** Stays "any" if it is unclear: some are out, and others have not come. */
function resolveWay({ admitted, seats, outside = 0 }: Party, way: Way = "in"): Way {
  if (way !== "any") return way;
  if (outside === 0) return "in";
  return admitted === seats ? "again" : "any";
}

/** The verdict on people who go out or come back; at most `able` people can. */
function move(party: Party, asked: ScanOptions, able: number, done: Kind, nobody: Kind): Decision {
  if (able === 0) return { kind: nobody, people: 0 };
  if (asked.seen !== undefined && asked.seen !== insideOf(party)) return { kind: "changed", people: 0 };
  const people = asked.people ?? able;
  return people < 1 || people > able ? { kind: "too_many", people: 0 } : { kind: done, people };
}

/** How a verdict changes the counts: `people` are let in, `gone` people go out (negative: come back). */
export function movement(kind: string, people: number): { people: number; gone: number } {
  if (kind === "let_out") return { people: 0, gone: people };
  return kind === "in_again" ? { people: 0, gone: -people } : { people, gone: 0 };
}
