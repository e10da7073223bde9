/** What the door's tests set the stage with: an evening, a list, and a server to play with. */

import type {
  Action,
  Conflict,
  Counts,
  ListedParty,
  Result,
  SyncResponse,
  Verdict,
} from "../../src/door/sync/protocol.ts";
import { decide, movement } from "../../src/door/rules/verdicts.ts";

export const TOKENS = [..."ABCDEFGHJK"].map((letter) => letter.repeat(43));
export const SITE = "https://theatre.example/checkin/ticket/";
const EVENING = 7;

export async function digestOf(token: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return Buffer.from(hash).subarray(0, 12).toString("base64url");
}

export async function aParty(n: number, facts: Partial<ListedParty> = {}): Promise<ListedParty> {
  return {
    reference: `AAAA000${n}`,
    tickets: [await digestOf(TOKENS[n]!)],
    state: "confirmed",
    name: `Party ${n}`,
    seats: 2,
    admitted: 0,
    released: 0,
    ...facts,
  };
}

export function aConflict(n: number): Conflict {
  const place = { at: "2026-11-25T20:41:07Z", by: "Door B", door: "Door B" };
  const people = { reference: `AAAA000${n}`, name: "", walk_in: false, people: 0, claimed: 2 };
  return { scan_id: `conflict ${n}`, ...people, ...place, first: null };
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> };

/** An answer that says no, as the server writes it. */
export function aProblem(status: number, kind?: string, detail = ""): Answer {
  const headers: Record<string, string> = { "Content-Type": "application/problem+json" };
  if (status === 401) headers["WWW-Authenticate"] = 'Bearer error="invalid_token"';
  return { status, body: { type: kind ? `/api/problems/${kind}` : "about:blank", detail }, headers };
}

/** The server's side of docs/door.md, as far as a phone can tell. */
export class FakeServer {
  parties: ListedParty[] = [];
  closed = false;
  /** Whether a sync holds the whole list. */
  complete = true;
  startsAt = new Date(Date.now() + 3_600_000);
  closesAt = new Date(Date.now() + 3 * 3_600_000);
  conflicts: Conflict[] = [];
  silent: string[] = [];
  releasedAt: string | null = null;
  /** Whether people may go out; a server of before knows of no interval. */
  reentry: boolean | undefined = undefined;
  /** Everybody in the building; a server of before does not tell. */
  figure: Partial<Pick<Counts, "in_building" | "known_at" | "outside">> = {};
  /** Who is found by a search. */
  found: ListedParty[] = [];
  foundMore = false;
  serverTime = () => new Date();
  free = 10;
  /** Requests get no answer, or only after they were obeyed. */
  isAway = false;
  answerIsLost = false;
  /** Answers given instead, one for each request. */
  instead: Answer[] = [];
  readonly asked: { path: string; method: string; body: any }[] = [];
  /** Actions that arrived by a sync. */
  readonly sent: Action[] = [];
  /** What was counted, by scan. */
  readonly counted = new Map<string, Verdict>();

  readonly fetch = async (address: string, request: RequestInit): Promise<Response> => {
    const body = request.body ? JSON.parse(String(request.body)) : undefined;
    const path = address.replace(`/api/v1/checkin/performances/${EVENING}`, "");
    this.asked.push({ path, method: request.method!, body });
    if (this.isAway) throw new TypeError("Failed to fetch");
    if (path === "/sync") this.sent.push(...body.actions);
    const answer = this.instead.shift() ?? this.answer(path, request.method!, body);
    if (this.answerIsLost) throw new TypeError("Failed to fetch");
    const { status, body: said, headers = {} } = answer;
    return new Response(JSON.stringify(said), { status, headers });
  };

  private answer(path: string, method: string, body: any): Answer {
    if (path === "/sync") return { status: 200, body: this.sync(body.actions) };
    if (path === "/scans") return { status: 200, body: this.take({ kind: "scan", ...body }) };
    if (path === "/walk-ins") return { status: 200, body: this.take({ kind: "walk_in", ...body }) };
    if (method === "DELETE" && path.startsWith("/scans/")) {
      return { status: 200, body: this.take({ kind: "undo", scan_id: path.slice(7) }) };
    }
    if (path === "/parties") return { status: 200, body: { parties: this.found, more: this.foundMore } };
    if (path === "/release") return { status: 200, body: { parties: 1, places: 2, missing: 0 } };
    return aProblem(404);
  }

  private sync(actions: Action[]): SyncResponse {
    const results = actions.map((action): Result => ({
      scan_id: action.scan_id,
      verdict: this.take(action),
      problem: null,
    }));
    const inside = this.parties.reduce((sum, party) => sum + party.admitted, 0);
    const expected = this.parties.reduce((sum, { seats, released }) => sum + seats - released, 0);
    return {
      server_time: this.serverTime().toISOString(),
      closed: this.closed,
      complete: this.complete,
      cursor: 1,
      parties: this.closed ? [] : this.parties,
      performance: {
        id: EVENING,
        show_title: "Show",
        venue_name: "Venue",
        starts_at: this.startsAt.toISOString(),
        closes_at: this.closesAt.toISOString(),
        release_from: new Date(this.startsAt.getTime() - 30 * 60_000).toISOString(),
        cancelled: false,
        released_at: this.releasedAt,
        ...(this.reentry !== undefined && { reentry: this.reentry }),
      },
      counts: { expected, inside, to_come: expected - inside, free: this.free, ...this.figure },
      silent: this.silent,
      conflicts: this.conflicts,
      results,
    };
  }

  private take(action: Action): Verdict {
    const before = this.counted.get(action.scan_id);
    if (before && action.kind !== "undo") return before;
    const party = this.partyOf(action);
    const none = { first: null, evening: null, scan_id: action.scan_id };
    if (action.kind === "undo") {
      const people = before?.people ?? 0;
      if (before && !before.undone) this.admit(before.party?.reference, before.verdict, -people);
      const undone: Verdict = { ...none, verdict: before?.verdict ?? "unknown", people: 0, undone: true, party: this.find(before?.party?.reference) };
      if (before) this.counted.set(action.scan_id, { ...before, undone: true });
      return undone;
    }
    const decided =
      action.kind === "walk_in"
        ? { kind: "admitted" as const, people: action.people }
        : action.offline
          ? { kind: action.offline.verdict, people: action.offline.people }
          : decide(party && { ...party, performance_id: EVENING }, EVENING, false, action, this.free, this.reentry);
    this.admit(party?.reference, decided.kind, decided.people);
    const verdict: Verdict = {
      ...none,
      verdict: decided.kind,
      people: decided.people,
      undone: false,
      party: this.find(party?.reference),
    };
    this.counted.set(action.scan_id, verdict);
    return verdict;
  }

  private partyOf(action: Action): ListedParty | undefined {
    if (action.kind !== "scan") return undefined;
    const n = TOKENS.indexOf(action.code.split("/").at(-1)!);
    return this.parties.find(({ reference }) => reference === (n < 0 ? action.code : `AAAA000${n}`));
  }

  private find(reference: string | undefined): ListedParty | null {
    return this.parties.find((party) => party.reference === reference) ?? null;
  }

  private admit(reference: string | undefined, kind: string, number: number): void {
    const { people, gone } = movement(kind, number);
    this.parties = this.parties.map((party) => {
      if (party.reference !== reference) return party;
      const outside = (party.outside ?? 0) + gone;
      return { ...withAdmitted(party, party.admitted + people), ...(gone !== 0 && { outside }) };
    });
  }
}

/** Late comers take the places again that were released. */
function withAdmitted(party: ListedParty, admitted: number): ListedParty {
  return { ...party, admitted, released: Math.min(party.released, party.seats - admitted) };
}
