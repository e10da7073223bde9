/** The party list: the server's parties, combined with this phone's queued actions.
 *
 * Queued actions never change the list itself. They are added to each result, until the server has recorded them
 * and sends them as part of the list.
 */

import { matchesName, spellings } from "./name-matching.ts";
import type { Counts, ListedParty, PartyInfo } from "../sync/protocol.ts";
import type { QueuedAction } from "../sync/store.ts";
import { isGenuine, readSigned } from "./tickets.ts";
import { toCome, type Party, type Unlisted } from "./verdicts.ts";

/** Characters of a code that are sent. A longer code cannot name a party. */
export const MAX_CODE = 501;
/** Parties in one search result. */
export const MAX_FOUND = 20;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
// The end of a signed ticket. Tickets before 0.4 never consist of digits only.
const DIGITS = /^[0-9]{43}$/;
// Crockford's base 32, as azionelab/bookings/tickets/references.py reads it.
const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{8}$/;
/** No performance has this number: a party that was moved away is of another one. */
const ELSEWHERE = 0;

export interface KnownParty extends PartyInfo, Party {}

/** What a code stands for: a party on the list, an unlisted ticket or reference, or "nobody".
 *
 * The signature of an unlisted ticket decides: "genuine" is for this performance, "elsewhere" for another one,
 * "forged" is invalid. "older" is a ticket from before 0.4, which has no signature; "ticket" cannot be checked here.
 */
export type CodeMatch = { readonly party: KnownParty; readonly byTicket: boolean } | Unlisted | "nobody";

/** Seats of confirmed people who have not come. */
export interface NoShows {
  readonly parties: number;
  readonly places: number;
}

/** Those of late parties, and when the last of them can be released as well: milliseconds, as Date.parse. */
export interface LateNoShows extends NoShows {
  readonly until: number | undefined;
}

/** Until when late parties keep their seats whatever they said, and the time now: milliseconds, as Date.parse. */
export interface LateHold {
  readonly until: number;
  readonly now: number;
}

/** Parties that a search found; `more` says that there are others beyond MAX_FOUND. */
export interface SearchResult {
  readonly parties: readonly KnownParty[];
  readonly more: boolean;
}

export class PartyList {
  /** The theatre's public keys to verify tickets; empty before the first sync. */
  ticketKeys: readonly string[] = [];
  private readonly performanceId: number;
  private readonly parties = new Map<string, ListedParty>();
  private readonly tickets = new Map<string, string>();
  private done: readonly QueuedAction[] = [];
  /** People let in by queued actions, by party. */
  private since = new Map<string | null, number>();
  /** People who went out by queued actions, minus those who came back, by party. */
  private gone = new Map<string | null, number>();

  constructor(performanceId: number, parties: Iterable<ListedParty> = []) {
    this.performanceId = performanceId;
    this.update(parties);
  }

  update(parties: Iterable<ListedParty>): void {
    for (const party of parties) {
      this.parties.set(party.reference, party);
      for (const ticket of party.tickets) this.tickets.set(ticket, party.reference);
    }
  }

  clear(): void {
    this.parties.clear();
    this.tickets.clear();
  }

  /** Set the queued actions. */
  setQueued(done: readonly QueuedAction[]): void {
    this.done = done;
    this.since = new Map();
    this.gone = new Map();
    for (const { reference, people, gone = 0 } of done) {
      this.since.set(reference, (this.since.get(reference) ?? 0) + people);
      this.gone.set(reference, (this.gone.get(reference) ?? 0) + gone);
    }
  }

  /** The server's counts, adjusted by the queued actions. */
  adjustCounts(counts: Counts): Counts {
    const gone = [...this.gone.values()].reduce((sum, people) => sum + people, 0);
    return [...this.since].reduce((sum, [reference, people]) => {
      const listed = reference === null ? undefined : this.listed(reference);
      return withPeople(sum, people, listed, listed && this.find(listed.reference));
    }, withPeopleOut(counts, gone));
  }

  listed(reference: string): ListedParty | undefined {
    return this.parties.get(reference);
  }

  find(reference: string): KnownParty | undefined {
    const party = this.parties.get(reference);
    if (!party) return undefined;
    const since = this.since.get(reference) ?? 0;
    const { tickets: _, moved, ...numbers } = party;
    const admitted = Math.max(0, Math.min(party.seats, party.admitted + since));
    return {
      ...numbers,
      performance_id: moved ? ELSEWHERE : this.performanceId,
      admitted,
      outside: Math.max(0, Math.min(admitted, (party.outside ?? 0) + (this.gone.get(reference) ?? 0))),
      released: Math.min(party.released, party.seats - admitted),
    };
  }

  async identify(code: string): Promise<CodeMatch> {
    const typed = code.trim();
    if (typed.length >= MAX_CODE) return "nobody";
    if (isTicket(typed)) {
      const reference = this.tickets.get(await digest(tokenIn(typed)));
      const party = reference && this.find(reference);
      return party ? { party, byTicket: true } : await this.identifyUnlisted(typed);
    }
    const reference = readReference(typed);
    if (!reference) return "nobody";
    const party = this.find(reference);
    return party ? { party, byTicket: false } : "ticket";
  }

  /** Classify a ticket whose digest is not on the list. */
  private async identifyUnlisted(code: string): Promise<CodeMatch> {
    if (this.ticketKeys.length === 0) return "ticket";
    const signed = readSigned(code);
    if (!signed) return DIGITS.test(tokenIn(code)) ? "forged" : "older";
    if (!(await isGenuine(signed, this.ticketKeys))) return "forged";
    // If its party is on the list after all, the list is right.
    const party = this.find(signed.reference);
    if (party) return { party, byTicket: true };
    return signed.performanceId === this.performanceId ? "genuine" : "elsewhere";
  }

  /** When this phone first let people of a party in, by its queued actions. */
  firstAdmittedAt(reference: string): string | undefined {
    return this.done.find((one) => one.reference === reference && one.people > 0)?.at;
  }

  /** Search live parties by name (name-matching.ts) or reference; sorted by name. */
  search(query: string): SearchResult {
    const wanted = spellings(query);
    const reference = readReference(query);
    if (wanted[0]!.length < 2) return { parties: [], more: false };
    const found = [...this.parties.values()]
      .filter(
        (party) =>
          (party.state === "confirmed" || party.state === "pending") &&
          (matchesName(party.name, wanted) || party.reference === reference),
      )
      .sort((one, other) => one.name.localeCompare(other.name));
    return limitFound(found.map((party) => this.find(party.reference)!));
  }

  /** People with a ticket who are out for the interval. */
  get outside(): number {
    return [...this.parties.keys()].reduce((sum, one) => sum + (this.find(one)!.outside ?? 0), 0);
  }

  /** The seats that a release would free, and those of late parties, which it keeps.
   *
   * `inside` are people whom revoked phones let in, by party: the counts do not include them. Late parties keep their
   * seats until `lateHold`, or until the time they said if that is later (server: no_show_seats.kept_until).
   */
  noShows(inside: ReadonlyMap<string, number>, lateHold: LateHold): NoShows & { readonly late: LateNoShows } {
    const { until: held, now } = lateHold;
    const keptUntil = (lateAt?: string | null): number | undefined => {
      const until = lateAt ? Math.max(Date.parse(lateAt), held) : 0;
      return until > now ? until : undefined;
    };
    const missing = [...this.parties.keys()]
      .map((reference) => this.find(reference)!)
      .filter(({ state }) => state === "confirmed")
      .map((party) => ({ until: keptUntil(party.late_at), people: toCome(party) - (inside.get(party.reference) ?? 0) }))
      .filter(({ people }) => people > 0);
    const late = missing.filter(({ until }) => until !== undefined);
    const until = late.length > 0 ? Math.max(...late.map((one) => one.until!)) : undefined;
    return { ...sumOf(missing.filter((one) => one.until === undefined)), late: { ...sumOf(late), until } };
  }

  /** Released seats of confirmed parties. */
  get released(): number {
    return [...this.parties.keys()]
      .map((reference) => this.find(reference)!)
      .filter(({ state }) => state === "confirmed")
      .reduce((sum, { released }) => sum + released, 0);
  }
}

function sumOf(missing: readonly { readonly people: number }[]): NoShows {
  return { parties: missing.length, places: missing.reduce((sum, { people }) => sum + people, 0) };
}

/** Limit a result to MAX_FOUND parties. */
export function limitFound(found: readonly KnownParty[]): SearchResult {
  return { parties: found.slice(0, MAX_FOUND), more: found.length > MAX_FOUND };
}

/** The counts after `people` of a party came in, which changed it from `before` to `after`.
 *
 * People whose seats were released take free ones. People who are not on the list only count as inside: it is
 * unknown whether they were expected.
 */
export function withPeople(
  counts: Counts,
  people: number,
  before?: PartyInfo | null,
  after?: PartyInfo | null,
): Counts {
  const { in_building } = counts;
  const sum = {
    ...counts,
    inside: counts.inside + people,
    ...(in_building !== undefined && { in_building: in_building + people }),
  };
  if (before?.state !== "confirmed" || after?.state !== "confirmed") return sum;
  const to_come = Math.max(0, sum.to_come + toCome(after) - toCome(before));
  return withSeatsTaken({ ...sum, to_come }, before.released - after.released);
}

/** The counts after `gone` people went out (negative: came back). They stay admitted. */
export function withPeopleOut(counts: Counts, gone: number): Counts {
  const { in_building, outside = 0 } = counts;
  if (in_building === undefined || gone === 0) return counts;
  return { ...counts, in_building: in_building - gone, outside: Math.max(0, outside + gone) };
}

/** The counts after unexpected people took free seats. */
export function withSeatsTaken(counts: Counts, places: number): Counts {
  return { ...counts, expected: counts.expected + places, free: counts.free - places };
}

/** Whether a code has the form of a ticket, alone or at the end of its address, or of a reference. */
export function isTicketOrReference(code: string): boolean {
  return isTicket(code) || readReference(code) !== undefined;
}

/** The key under which an unlisted code is stored: its reference, or the digest of a ticket without one. The code
 * itself is secret.
 */
export async function unlistedKey(code: string): Promise<string | undefined> {
  const signed = readSigned(code);
  if (signed) return signed.reference;
  return isTicket(code) ? await digest(tokenIn(code)) : readReference(code);
}

/** Whether a code has the form of a ticket, alone or at the end of its address. */
export function isTicket(code: string): boolean {
  return TOKEN.test(tokenIn(code));
}

function tokenIn(code: string): string {
  return code.trim().replace(/\/+$/, "").split("/").at(-1)!;
}

/** Parse a typed reference, in any case and spacing. */
export function readReference(typed: string): string | undefined {
  const read = typed
    .trim()
    .toUpperCase()
    .replace(/[IL]/g, "1")
    .replace(/O/g, "0")
    .replace(/[ -]/g, "");
  return REFERENCE.test(read) ? read : undefined;
}

/** A ticket's digest on the list: the first 12 bytes of its token's SHA-256, as base64url. */
async function digest(token: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const bytes = String.fromCharCode(...new Uint8Array(hash, 0, 12));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_");
}
