/** How the door talks to the server (docs/door.md), and what its answers and silences mean. */

import type { Right } from "../rules/rights.ts";
import type { ScanOptions, Kind, Way } from "../rules/verdicts.ts";

const BASE = "/api/v1/checkin";
const VERSION = 1;
const PROBLEMS = "/api/problems/";
/** Milliseconds. Somebody waits at the door for a verdict; a whole list may take its time. */
const TIMEOUTS = { verdict: 1_500, asked: 8_000, changes: 6_000, list: 20_000 };

/** What was decided without the server. */
export interface Offline {
  readonly at: string;
  readonly verdict: Kind;
  readonly people: number;
}

export interface ScanAction extends ScanOptions {
  readonly kind: "scan";
  readonly scan_id: string;
  readonly code: string;
  readonly offline?: Offline;
}

export interface WalkInAction {
  readonly kind: "walk_in";
  readonly scan_id: string;
  readonly people: number;
  readonly way?: Way;
  readonly offline?: Offline;
}

export interface UndoAction {
  readonly kind: "undo";
  readonly scan_id: string;
}

export type Action = ScanAction | WalkInAction | UndoAction;

/** When something was changed, and by whom in kind. */
export interface Change {
  readonly at: string;
  readonly by: string | null;
}

/** A party's numbers, as an answer tells them. */
export interface PartyInfo {
  readonly reference: string;
  readonly name: string;
  readonly state: string;
  readonly seats: number;
  readonly admitted: number;
  readonly released: number;
  /** How the booking ended, and how the party became smaller; a server before 0.4 does not tell. */
  readonly ended?: Change | null;
  readonly reduced?: { readonly at: string; readonly by: string; readonly seats: number } | null;
  /** About when those come who are not in, if they told that they come late. */
  readonly late_at?: string | null;
  /** Of those admitted: they went out for the interval. A server before 0.4 does not tell. */
  readonly outside?: number;
  /** What staff want the door to know of them; a server before 0.4 has none. */
  readonly note?: string;
  /** There is a note, also where this phone is not told what it says. */
  readonly has_note?: boolean;
}

export interface ListedParty extends PartyInfo {
  readonly tickets: readonly string[];
}

export interface FirstAdmission {
  readonly at: string;
  readonly by: string;
  readonly door: string;
}

export interface PerformanceInfo {
  readonly show_title: string;
  readonly venue_name: string;
  readonly starts_at: string;
}

export interface Verdict {
  readonly scan_id: string;
  readonly verdict: Kind;
  readonly people: number;
  readonly undone: boolean;
  readonly party: PartyInfo | null;
  readonly first: FirstAdmission | null;
  readonly evening: PerformanceInfo | null;
}

export interface Performance {
  readonly id: number;
  readonly show_title: string;
  readonly venue_name: string;
  readonly starts_at: string;
  readonly closes_at: string;
  readonly release_from: string;
  readonly cancelled: boolean;
  /** A server before 0.4 does not tell. */
  readonly cancelled_at?: string | null;
  readonly released_at: string | null;
  /** Whether people may go out and come in again; a server before 0.4 knows nothing of it. */
  readonly reentry?: boolean;
}

export interface Counts {
  readonly expected: number;
  readonly inside: number;
  readonly to_come: number;
  readonly free: number;
  /** They went out, and may come in again. */
  readonly outside?: number;
  /** All who came in, also those whom the books cannot count; a server before 0.4 does not tell. */
  readonly in_building?: number;
  /** When that was last sure: some phone may not have been heard from since. */
  readonly known_at?: string;
}

/** More people are in than could be counted: `claimed` by a door, `people` counted. */
export interface Conflict {
  readonly scan_id: string;
  /** "revoked", or what else was made of it. */
  readonly verdict?: string;
  readonly reference: string | null;
  readonly name: string;
  /** They had no booking; `reference` is what the books know them by. */
  readonly walk_in: boolean;
  /** "again": they came in again, beyond those who had gone out. */
  readonly way?: string;
  readonly people: number;
  readonly claimed: number;
  readonly at: string;
  readonly by: string;
  readonly door: string;
  readonly first: FirstAdmission | null;
  /** Its own, where `at`, `by` and `door` may be the other's. A server before 0.4 does not tell it. */
  readonly attempt?: FirstAdmission;
}

/** What became of an action: a verdict, or a problem that sending it again will not cure. */
export interface Result {
  readonly scan_id: string;
  readonly verdict: Verdict | null;
  readonly problem: string | null;
}

export interface SyncResponse {
  readonly server_time: string;
  /** A server of before does not tell. */
  readonly rights?: readonly Right[];
  readonly closed: boolean;
  readonly complete: boolean;
  readonly cursor: number | null;
  readonly parties: readonly ListedParty[];
  readonly performance: Performance;
  readonly counts: Counts;
  /** Doors that were not heard from for a minute; a server of before does not tell. */
  readonly silent?: readonly string[];
  readonly conflicts: readonly Conflict[];
  /** The public keys of tickets, base64url; a server before 0.4 has none. */
  readonly ticket_keys?: readonly string[];
  readonly results: readonly Result[];
}

/** Places that are free now, or held again; `missing` ones others have by now. */
export interface ReleaseResult {
  readonly places: number;
  readonly missing: number;
}

export interface Enrolled {
  readonly token: string;
  readonly label: string;
  readonly performance_id: number;
  /** A server of before does not tell. */
  readonly rights?: readonly Right[];
  /** Opens the doors of other evenings, if staff said that this phone may. */
  readonly pass?: string | null;
}

/** An evening whose door a pass opens. */
export interface OfferedPerformance extends PerformanceInfo {
  readonly id: number;
  readonly invitation: string;
}

/** The evening that somebody was invited to, and what the phone may do there. */
export interface InvitationInfo extends PerformanceInfo {
  readonly rights?: readonly Right[];
}

/** No answer, or one that says that the server is busy or down: the door goes on by itself. */
export class Unreachable extends Error {}

/** No answer in time: the server may be at it still, if it was asked for much at once. */
export class TimedOut extends Unreachable {}

/** An answer that says no. `kind` is the last part of the problem's type. */
export class Refused extends Error {
  readonly status: number;
  readonly kind: string;

  constructor(status: number, kind: string, detail: string) {
    super(detail);
    this.status = status;
    this.kind = kind;
  }
}

/** Which evening somebody was invited to; also who used it with this `key` already. Throws Away and Refused. */
export async function readInvitation(invitation: string, key: string): Promise<InvitationInfo> {
  const isEvening: ResponseCheck = ({ starts_at }) => isText(starts_at);
  return await request("POST", "/invitations", { invitation }, TIMEOUTS.asked, isEvening, idempotencyHeader(key));
}

/** The evenings whose doors this phone may open. Throws Away and Refused. */
export async function readPass(pass: string): Promise<readonly OfferedPerformance[]> {
  const isOffer: ResponseCheck = ({ evenings }) => Array.isArray(evenings);
  const body = { pass };
  const { evenings } = await request<{ evenings: OfferedPerformance[] }>("POST", "/passes", body, TIMEOUTS.asked, isOffer);
  return evenings;
}

/** Become a device; the same `key` again, for want of an answer, becomes the same one. */
export async function enrol(invitation: string, label: string, key: string): Promise<Enrolled> {
  const body = { invitation, label };
  const isDevice: ResponseCheck = ({ token }) => isText(token);
  return await request("POST", "/devices", body, TIMEOUTS.asked, isDevice, idempotencyHeader(key));
}

function idempotencyHeader(key: string): Readonly<Record<string, string>> {
  return { "Idempotency-Key": key };
}

/** The server, as one device of one performance may ask it. */
export class Server {
  private readonly path: string;
  private readonly token: string;

  constructor(performanceId: number, token: string) {
    this.path = `/performances/${performanceId}`;
    this.token = token;
  }

  async scan({ kind: _, ...attempt }: ScanAction): Promise<Verdict> {
    return await this.ask("POST", "/scans", attempt, TIMEOUTS.verdict, isVerdict);
  }

  async walkIn({ kind: _, ...attempt }: WalkInAction): Promise<Verdict> {
    return await this.ask("POST", "/walk-ins", attempt, TIMEOUTS.verdict, isVerdict);
  }

  async undo(scanId: string): Promise<Verdict> {
    return await this.ask("DELETE", `/scans/${scanId}`, undefined, TIMEOUTS.verdict, isVerdict);
  }

  async search(query: string): Promise<{ parties: PartyInfo[]; more?: boolean }> {
    return await this.ask("POST", "/parties", { query }, TIMEOUTS.asked, isList);
  }

  async release(withLate: boolean): Promise<ReleaseResult> {
    const path = withLate ? "/release?late=true" : "/release";
    return await this.ask("POST", path, undefined, TIMEOUTS.asked, isRelease);
  }

  async restore(): Promise<ReleaseResult> {
    return await this.ask("DELETE", "/release", undefined, TIMEOUTS.asked, isRelease);
  }

  /** `isDone`: it ends its evening, and these are the last of what it did. */
  async sync(cursor: number | null, actions: readonly Action[], isDone = false): Promise<SyncResponse> {
    const patience = cursor === null ? TIMEOUTS.list : TIMEOUTS.changes;
    const body = { version: VERSION, cursor, actions, ...(isDone && { done: true }) };
    return await this.ask("POST", "/sync", body, patience, isSync);
  }

  private async ask<Answer>(
    method: string,
    path: string,
    body: unknown,
    patience: number,
    isOurs: ResponseCheck,
  ): Promise<Answer> {
    const authorization = { Authorization: `Bearer ${this.token}` };
    return await request(method, this.path + path, body, patience, isOurs, authorization);
  }
}

/** Whether a 200 is the server's: networks that want a login first answer in JSON, too. */
type ResponseCheck = (said: Record<string, unknown>) => boolean;

const isText = (said: unknown): boolean => typeof said === "string";
const isVerdict: ResponseCheck = ({ verdict }) => isText(verdict);
const isList: ResponseCheck = ({ parties }) => Array.isArray(parties);
const isRelease: ResponseCheck = ({ places }) => typeof places === "number";
const isSync: ResponseCheck = (said) => isList(said) && !Number.isNaN(Date.parse(`${said["server_time"]}`));

async function request<Answer>(
  method: string,
  path: string,
  body: unknown,
  patience: number,
  isOurs: ResponseCheck,
  besides: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const headers: Record<string, string> = { Accept: "application/json", ...besides };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer: Response;
  let said: unknown;
  // Not AbortSignal.timeout(): phones of 2021 have none.
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patience);
  try {
    answer = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: giveUp.signal,
      // A network that wants a login first redirects, or answers with a page of its own.
      redirect: "error",
      credentials: "omit",
      cache: "no-store",
    });
    said = await answer.json();
  } catch {
    throw giveUp.signal.aborted ? new TimedOut("no answer in time") : new Unreachable("no answer");
  } finally {
    clearTimeout(timer);
  }
  if (answer.status === 429 || answer.status >= 500) throw new Unreachable(`${answer.status}`);
  const members = Object(said) as Record<string, unknown>;
  if (answer.ok) {
    if (!isOurs(members)) throw new Unreachable(`${answer.status} of somebody else`);
    return said as Answer;
  }
  const { type, detail } = members;
  const kind = problemKind(answer, `${type}`);
  if (kind === undefined) throw new Unreachable(`${answer.status} of somebody else`);
  throw new Refused(answer.status, kind, typeof detail === "string" ? detail : "");
}

/** The kind of a problem of ours; undefined when it is not. Portals and firewalls refuse in JSON, too: that
 * says nothing of this phone, whose list and queue go with a refusal. */
function problemKind({ status, headers }: Response, type: string): string | undefined {
  if (!headers.get("Content-Type")?.startsWith("application/problem+json")) return undefined;
  if (type.startsWith(PROBLEMS)) return type.slice(PROBLEMS.length);
  if (type !== "about:blank" || status === 403) return undefined;
  // RFC 6750, 3.1
  const isOfToken = /^bearer\b.*\binvalid_token\b/i.test(headers.get("WWW-Authenticate") ?? "");
  return status === 401 && !isOfToken ? undefined : "";
}
