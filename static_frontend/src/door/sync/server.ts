/** The client of the door's API (docs/door.md). */

import type {
  Action,
  Enrolled,
  InvitationInfo,
  OfferedPerformance,
  PartyInfo,
  ReleaseResult,
  ScanAction,
  SyncResponse,
  Verdict,
  WalkInAction,
} from "./protocol.ts";

const BASE = "/api/v1/checkin";
const VERSION = 1;
const PROBLEMS = "/api/problems/";
/** Milliseconds: short for verdicts, because somebody waits at the door; long for the whole list. */
const TIMEOUTS = { verdict: 1_500, asked: 8_000, changes: 6_000, list: 20_000 };

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
