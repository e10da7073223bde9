/** The client of the door's API (docs/door.md). */

import type { Right } from "../rules/rights.ts";
import type { ScanOptions, Kind, Way } from "../rules/verdicts.ts";

const BASE = "/api/v1/checkin";
const VERSION = 1;
const PROBLEMS = "/api/problems/";
/** Milliseconds: short for verdicts, because somebody waits at the door; long for the whole list. */
const TIMEOUTS = { verdict: 1_500, asked: 8_000, changes: 6_000, list: 20_000 };

/** A decision that was made offline. */
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

/** A change, and the kind of actor. */
export interface Change {
  readonly at: string;
  readonly by: string | null;
}

/** A party in a response. */
export interface PartyInfo {
  readonly reference: string;
  readonly name: string;
  readonly state: string;
  readonly seats: number;
  readonly admitted: number;
  readonly released: number;
  /** Missing from servers before 0.4. */
  readonly ended?: Change | null;
  readonly reduced?: { readonly at: string; readonly by: string; readonly seats: number } | null;
  /** Estimated arrival of a late party. */
  readonly late_at?: string | null;
  /** Admitted people who went out for the interval. Missing from servers before 0.4. */
  readonly outside?: number;
  /** The staff's note. Missing from servers before 0.4. */
  readonly note?: string;
  /** There is a note; also for phones that may not read it. */
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
  /** Missing from servers before 0.4. */
  readonly cancelled_at?: string | null;
  readonly released_at: string | null;
  /** Whether people may go out and come back. Missing from servers before 0.4. */
  readonly reentry?: boolean;
}

export interface Counts {
  readonly expected: number;
  readonly inside: number;
  readonly to_come: number;
  readonly free: number;
  /** People who went out and may come back. */
  readonly outside?: number;
  /** People in the building, conflicts included. Missing from servers before 0.4. */
  readonly in_building?: number;
  /** When that was last certain: a phone may be silent since. */
  readonly known_at?: string;
}

/** A device let in `claimed` people, of whom `people` could be counted. */
export interface Conflict {
  readonly scan_id: string;
  /** "revoked", or the server's verdict. */
  readonly verdict?: string;
  readonly reference: string | null;
  readonly name: string;
  /** Walk-ins; `reference` is that of their reservation. */
  readonly walk_in: boolean;
  /** "again": more people came back than had gone out. */
  readonly way?: string;
  readonly people: number;
  readonly claimed: number;
  readonly at: string;
  readonly by: string;
  readonly door: string;
  readonly first: FirstAdmission | null;
  /** The conflict's own scan; `at`, `by` and `door` may be the other one's. Missing from servers before 0.4. */
  readonly attempt?: FirstAdmission;
}

/** The result of an action: a verdict, or a problem that sending it again does not solve. */
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
  /** Devices that have been silent for a minute. Missing from older servers. */
  readonly silent?: readonly string[];
  readonly conflicts: readonly Conflict[];
  /** Public keys to verify tickets, base64url. Missing from servers before 0.4. */
  readonly ticket_keys?: readonly string[];
  readonly results: readonly Result[];
}

/** Released or restored seats; `missing` ones could not be restored. */
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
  /** With it the phone enrols for other performances, if staff allowed that. */
  readonly pass?: string | null;
}

/** A performance that a pass is valid for. */
export interface OfferedPerformance extends PerformanceInfo {
  readonly id: number;
  readonly invitation: string;
}

/** The performance of an invitation, and the rights that come with it. */
export interface InvitationInfo extends PerformanceInfo {
  readonly rights?: readonly Right[];
}

/** No answer, or the server is busy or down: the door works offline. */
export class Unreachable extends Error {}

/** No answer in time; a large request may still be at work on the server. */
export class TimedOut extends Unreachable {}

/** The server refused the request. `kind` is the last part of the problem's type. */
export class Refused extends Error {
  readonly status: number;
  readonly kind: string;

  constructor(status: number, kind: string, detail: string) {
    super(detail);
    this.status = status;
    this.kind = kind;
  }
}

/** Read an invitation, also one used up by this `key`. Throws Unreachable and Refused. */
export async function readInvitation(invitation: string, key: string): Promise<InvitationInfo> {
  const isEvening: ResponseCheck = ({ starts_at }) => isText(starts_at);
  return await request("POST", "/invitations", { invitation }, TIMEOUTS.asked, isEvening, idempotencyHeader(key));
}

/** The performances of a pass. Throws Unreachable and Refused. */
export async function readPass(pass: string): Promise<readonly OfferedPerformance[]> {
  const isOffer: ResponseCheck = ({ evenings }) => Array.isArray(evenings);
  const body = { pass };
  const { evenings } = await request<{ evenings: OfferedPerformance[] }>("POST", "/passes", body, TIMEOUTS.asked, isOffer);
  return evenings;
}

/** Enrol this phone. The same `key` again, after a lost response, gives the same device. */
export async function enrol(invitation: string, label: string, key: string): Promise<Enrolled> {
  const body = { invitation, label };
  const isDevice: ResponseCheck = ({ token }) => isText(token);
  return await request("POST", "/devices", body, TIMEOUTS.asked, isDevice, idempotencyHeader(key));
}

function idempotencyHeader(key: string): Readonly<Record<string, string>> {
  return { "Idempotency-Key": key };
}

/** The API for one device of one performance. */
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

  /** `isDone`: the user has ended the evening, and these are the last actions. */
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

/** Whether a 200 response is from the server: captive portals may answer in JSON, too. */
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
  // Not AbortSignal.timeout(): phones from 2021 do not have it.
  const giveUp = new AbortController();
  const timer = setTimeout(() => giveUp.abort(), patience);
  try {
    answer = await fetch(BASE + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      signal: giveUp.signal,
      // Captive portals redirect, or answer with a page of their own.
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

/** The kind of the server's problem; undefined if the response is not the server's. Captive portals and firewalls
 * may refuse in JSON, too: that must not wipe this phone's list and queue. */
function problemKind({ status, headers }: Response, type: string): string | undefined {
  if (!headers.get("Content-Type")?.startsWith("application/problem+json")) return undefined;
  if (type.startsWith(PROBLEMS)) return type.slice(PROBLEMS.length);
  if (type !== "about:blank" || status === 403) return undefined;
  // RFC 6750, 3.1
  const isOfToken = /^bearer\b.*\binvalid_token\b/i.test(headers.get("WWW-Authenticate") ?? "");
  return status === 401 && !isOfToken ? undefined : "";
}
