/** The house as this phone knows it: the server's list, and what was done here since.
 *
 * What was done here is never written into the list: it is added when somebody asks, until the server
 * has answered and its list holds it.
 */

import { matchesName, spellings } from "./name-matching.ts";
import type { Counts, ListedParty, PartyInfo } from "../sync/server.ts";
import type { QueuedAction } from "../sync/store.ts";
import { isGenuine, readSigned } from "./tickets.ts";
import { toCome, type Party, type Unlisted } from "./verdicts.ts";

/** Characters of a code that are sent; none that is longer names a party. */
export const MAX_CODE = 501;
/** Parties a search shows. */
export const MAX_FOUND = 20;
const TOKEN = /^[A-Za-z0-9_-]{43}$/;
// So ends a signed ticket. No older one is of digits alone.
const DIGITS = /^[0-9]{43}$/;
// Crockford's base 32, as azionelab/bookings/tickets/references.py reads it.
const REFERENCE = /^[0-9A-HJKMNP-TV-Z]{8}$/;

export interface KnownParty extends PartyInfo, Party {}

/** Whom a code names: a party, or nobody, or somebody who is not on the list, by a ticket or a reference.
 *
 * Of a ticket that is not on the list its signature tells: "genuine" is of this evening, "elsewhere" of
 * another one, "forged" of none. Without it nobody knows: "older" is a ticket before 0.4, which nobody gets
 * who books now, and "ticket" what cannot be checked here.
 */
export type CodeMatch = { readonly party: KnownParty; readonly byTicket: boolean } | Unlisted | "nobody";

/** Places of confirmed people who are not in. */
export interface NoShows {
  readonly parties: number;
  readonly places: number;
}

/** Parties that a search found; there are `more` than it shows. */
export interface SearchResult {
  readonly parties: readonly KnownParty[];
  readonly more: boolean;
}

export class PartyList {
  /** The theatre's public keys, by which tickets are checked; none before the server told them. */
  ticketKeys: readonly string[] = [];
  private readonly performanceId: number;
  private readonly parties = new Map<string, ListedParty>();
  private readonly tickets = new Map<string, string>();
  private done: readonly QueuedAction[] = [];
  /** People let in here, by party. */
  private since = new Map<string | null, number>();
  /** People who went out here, less those who came back, by party. */
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

  /** What was done here and is not in the list. */
  setQueued(done: readonly QueuedAction[]): void {
    this.done = done;
    this.since = new Map();
    this.gone = new Map();
    for (const { reference, people, gone = 0 } of done) {
      this.since.set(reference, (this.since.get(reference) ?? 0) + people);
      this.gone.set(reference, (this.gone.get(reference) ?? 0) + gone);
    }
  }

  /** The server's counts with the people let in here, less those of undone scans. */
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
    const { tickets: _, ...numbers } = party;
    const admitted = Math.max(0, Math.min(party.seats, party.admitted + since));
    return {
      ...numbers,
      performance_id: this.performanceId,
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

  /** What a ticket is whose digest is not on the list. */
  private async identifyUnlisted(code: string): Promise<CodeMatch> {
    if (this.ticketKeys.length === 0) return "ticket";
    const signed = readSigned(code);
    if (!signed) return DIGITS.test(tokenIn(code)) ? "forged" : "older";
    if (!(await isGenuine(signed, this.ticketKeys))) return "forged";
    // The list knows better than a ticket where its party belongs.
    const party = this.find(signed.reference);
    if (party) return { party, byTicket: true };
    return signed.performanceId === this.performanceId ? "genuine" : "elsewhere";
  }

  /** When this phone let in the first of a party, of those that the server does not know of. */
  firstAdmittedAt(reference: string): string | undefined {
    return this.done.find((one) => one.reference === reference && one.people > 0)?.at;
  }

  /** Live parties whose name (`names.ts`) or reference holds `query`, by name. */
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

  /** The places that releasing would free, and those that it would leave held for people who told that they come late.
   *
   * They are of confirmed people who are not in. Whom revoked phones let in is `inside`, by party, and counted by nobody.
   */
  noShows(inside: ReadonlyMap<string, number>): NoShows & { readonly late: NoShows } {
    const missing = [...this.parties.keys()]
      .map((reference) => this.find(reference)!)
      .filter(({ state }) => state === "confirmed")
      .map((party) => ({ isLate: Boolean(party.late_at), people: toCome(party) - (inside.get(party.reference) ?? 0) }))
      .filter(({ people }) => people > 0);
    const late = missing.filter(({ isLate }) => isLate);
    return { ...sumOf(missing.filter(({ isLate }) => !isLate)), late: sumOf(late) };
  }

  /** Places of people who did not come in time. */
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

/** As many of them as a search shows. */
export function limitFound(found: readonly KnownParty[]): SearchResult {
  return { parties: found.slice(0, MAX_FOUND), more: found.length > MAX_FOUND };
}

/** The counts when so many people of a party are in, which was listed as `before`.
 *
 * Those whose places were released take free ones. Of people who are not on the list nobody knows
 * whether they are expected, and nobody else comes any less for them.
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

/** The counts when so many people went out, or came back, below 0: they are let in all the same. */
export function withPeopleOut(counts: Counts, gone: number): Counts {
  const { in_building, outside = 0 } = counts;
  if (in_building === undefined || gone === 0) return counts;
  return { ...counts, in_building: in_building - gone, outside: Math.max(0, outside + gone) };
}

/** The counts when people whom nobody expected took so many of the free places. */
export function withSeatsTaken(counts: Counts, places: number): Counts {
  return { ...counts, expected: counts.expected + places, free: counts.free - places };
}

/** Whether a code is one: a ticket, alone or at the end of its address, or a reference. */
export function isTicketOrReference(code: string): boolean {
  return isTicket(code) || readReference(code) !== undefined;
}

/** What stands for a code where the code itself is not kept: the reference, or the digest of a ticket that
 * does not say it.
 */
export async function unlistedKey(code: string): Promise<string | undefined> {
  const signed = readSigned(code);
  if (signed) return signed.reference;
  return isTicket(code) ? await digest(tokenIn(code)) : readReference(code);
}

/** Whether a code is a ticket's, alone or at the end of its address. */
export function isTicket(code: string): boolean {
  return TOKEN.test(tokenIn(code));
}

function tokenIn(code: string): string {
  return code.trim().replace(/\/+$/, "").split("/").at(-1)!;
}

/** The reference that somebody typed, in any case and spacing. */
export function readReference(typed: string): string | undefined {
  const read = typed
    .trim()
    .toUpperCase()
    .replace(/[IL]/g, "1")
    .replace(/O/g, "0")
    .replace(/[ -]/g, "");
  return REFERENCE.test(read) ? read : undefined;
}

/** What the list knows a ticket by: 12 bytes of its token's SHA-256, as base64url. */
async function digest(token: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  const bytes = String.fromCharCode(...new Uint8Array(hash, 0, 12));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_");
}
