/** One evening at this door: what a scan leads to, with the server and without it.
 *
 * Online the server decides. When it does not answer, this phone does, from its list, and keeps what it
 * did until the server has it (docs/door.md).
 */

import { unlistedKey, MAX_CODE, type SearchResult, type KnownParty } from "../rules/party-list.ts";
import { DoorState } from "./door-state.ts";
import {
  Unreachable,
  Refused,
  Server,
  type Action,
  type FirstAdmission,
  type PartyInfo,
  type PerformanceInfo,
  type ReleaseResult,
  type ScanAction,
  type Verdict,
  type WalkInAction,
} from "./server.ts";
import type { StoredData, Device, Store, QueuedAction } from "./store.ts";
import { Sync } from "./sync.ts";
import {
  decide,
  decideUnlisted,
  insideOf,
  movement,
  type ScanOptions,
  type Kind,
  type Unlisted,
  type Way,
} from "../rules/verdicts.ts";

/** What the door says to an attempt. */
export interface ScanResult {
  readonly kind: Kind | "undone";
  readonly people: number;
  readonly action: ScanAction | WalkInAction;
  readonly party?: KnownParty;
  readonly first?: FirstAdmission;
  /** Without the server: when this phone let in the first of them. */
  readonly firstHere?: string;
  readonly evening?: PerformanceInfo;
  /** Without the server, of a code that is not on the list: what is known of it. */
  readonly ticket?: Unlisted;
  readonly offline: boolean;
}

/** Nobody can decide: no answer, and no list or no place to keep what was done. */
export class NoAnswer extends Error {
  /** Try once more: it is the same attempt, and counts once. */
  readonly again: () => Promise<ScanResult>;
  readonly isUndo: boolean;

  constructor(again: () => Promise<ScanResult>, isUndo = false) {
    super("no answer");
    this.again = again;
    this.isUndo = isUndo;
  }
}

export class DoorSession {
  readonly state: DoorState;
  readonly sync: Sync;
  /** The server speaks another version than this page. */
  isOutdated = false;
  private readonly server: Server;
  private readonly changed: () => void;
  private isStopped = false;

  /** `tell` is called whenever something has changed that can be seen. */
  constructor(
    device: Device,
    contents: StoredData | undefined,
    store: Store | undefined,
    tell: () => void,
  ) {
    this.changed = tell;
    this.state = new DoorState(device, contents, store, tell);
    this.server = new Server(device.performanceId, device.token);
    this.sync = new Sync({
      waiting: () => this.state.waiting,
      send: async (batch) => await this.exchange(batch),
      putAside: async (one, reason) => await this.putAside(one, reason),
      refused: async (why, batch) => await this.refused(why, batch),
      changed: tell,
      now: () => this.state.clock.now(),
    });
  }

  start(): void {
    void this.lookAtClock();
    const { ended, isLeaving, waiting } = this.state;
    if (!ended || isLeaving || waiting.length > 0) this.sync.start();
  }

  stop(): void {
    this.isStopped = true;
    this.sync.stop();
    this.state.close();
  }

  /** Since when there is no network, as far as this phone can know: it may have been off meanwhile. */
  get awaySince(): Date | undefined {
    const { awaySince, hasAnswered } = this.sync;
    return awaySince && !hasAnswered ? (this.state.listedAt ?? awaySince) : awaySince;
  }

  /** Let in whom `code` names, all of them or as asked. Throws NoAnswer and Refused. */
  async scan(code: string, asked: ScanOptions = {}): Promise<ScanResult> {
    const scan_id = crypto.randomUUID();
    // A server of before knows of no ways, and refuses them.
    const way = this.state.reentry === undefined ? {} : { way: asked.way ?? ("any" as const) };
    const attempt = { ...asked, ...way };
    return await this.attempt({ kind: "scan", scan_id, code: code.slice(0, MAX_CODE), ...attempt });
  }

  /** Let in people without a booking, or out and in again such without a ticket. Throws NoAnswer and Refused. */
  async walkIn(people: number, way?: Way): Promise<ScanResult> {
    const scan_id = crypto.randomUUID();
    return await this.attemptWalkIn({ kind: "walk_in", scan_id, people, ...(way && { way }) });
  }

  /** What the person at the door decided on a ticket that is not on the list; 0 is nobody. */
  async settle(unlisted: ScanResult, people: number): Promise<ScanResult> {
    const decided = { ...unlisted, people };
    const reference = unlisted.party?.reference ?? null;
    const again = async () => await this.settle(unlisted, people);
    const key = await unlistedKey((unlisted.action as ScanAction).code);
    await this.record(decided, reference, again, key);
    return decided;
  }

  /** Take an admission back. Throws NoAnswer and Refused. */
  async undo(result: ScanResult): Promise<ScanResult> {
    return await this.state.requests.track(result.action.scan_id, async () => await this.undoAdmission(result));
  }

  /** Let in another number of people than just now: both steps stand in the books. */
  async correct(result: ScanResult, people: number): Promise<ScanResult> {
    const undone = await this.undo(result);
    const way = WAYS[result.kind as Kind];
    if (result.action.kind === "walk_in") return await this.walkIn(people, result.action.way);
    const { party } = undone;
    const seen = party && { seen: way === "in" ? party.admitted : insideOf(party) };
    return await this.scan(result.action.code, { people, ...seen, ...(way && { way }) });
  }

  /** What the server finds, which knows e-mail addresses as well. Throws Away and Refused. */
  async searchEverywhere(query: string): Promise<SearchResult> {
    const { parties, more = false } = await this.noteIfUnreachable(this.server.search(query));
    const found = parties.map((party) => this.state.parties.find(party.reference) ?? this.known(party));
    return { parties: found, more };
  }

  /** Give the places of those who are not in to whoever waits; also of those who told that they come late?
   *
   * Throws Away and Refused.
   */
  async release(withLate = false): Promise<ReleaseResult> {
    // Whom this phone let in and has not told of would be taken for missing.
    return await this.afterFlush(async () => await this.server.release(withLate));
  }

  /** Hold released places again, as far as nobody else has them. Throws Away and Refused. */
  async restore(): Promise<ReleaseResult> {
    const change = crypto.randomUUID();
    const { requests } = this.state;
    return await this.afterFlush(async () =>
      await requests.track(change, async () => {
        requests.sent(change);
        const taken = await this.server.restore();
        await this.state.applyRestored(taken.places, change);
        return taken;
      }),
    );
  }

  /** Somebody has seen what went wrong with these scans. */
  async dismiss(scanIds: readonly string[]): Promise<void> {
    await this.state.dismiss(scanIds);
    this.changed();
  }

  async dismissAll(): Promise<void> {
    const { conflicts, aside } = this.state;
    await this.dismiss([
      ...conflicts.map(({ scan_id }) => scan_id),
      ...aside.map(({ scanId }) => scanId),
    ]);
  }

  /** Forget everything, also what could not be sent. */
  async forget(): Promise<void> {
    this.sync.stop();
    await this.state.wipe();
  }

  /** The evening ends by the clock, too: a phone that finds no network must not keep the names. */
  async lookAtClock(): Promise<void> {
    if (this.state.isOver) await this.end("closed");
    else await this.state.keepTime();
  }

  /** A person says that it is over: the names go, what waits is kept, and the server is told. */
  async endEvening(): Promise<void> {
    await this.state.leave();
    this.sync.now();
    this.changed();
  }

  /** Let places change hands, when the server knows all that was done here. */
  private async afterFlush(places: () => Promise<ReleaseResult>): Promise<ReleaseResult> {
    await this.sync.flush();
    const moved = await this.noteIfUnreachable(places());
    this.sync.now();
    return moved;
  }

  private async undoAdmission(result: ScanResult): Promise<ScanResult> {
    const { action, party } = result;
    const { people, gone } = movement(result.kind, result.people);
    const undone = { kind: "undone", people: 0, action } as const;
    const answer = await this.ask(action, async () => await this.server.undo(action.scan_id));
    if (answer) {
      await this.state.forgetUnlisted(action.scan_id);
      await this.state.applyAnswer(answer.party, { people: -people, gone: -gone }, action);
      return { ...undone, offline: false, ...this.partyIn(answer, action) };
    }
    const again = new NoAnswer(async () => await this.undo(result), true);
    if (this.state.cannotStore) throw again;
    const reference = party?.reference ?? null;
    const undo: Action = { kind: "undo", scan_id: action.scan_id };
    const at = this.stamp();
    await this.enqueue({ action: undo, reference, people: -people, gone: -gone, at }, again);
    return { ...undone, offline: true, ...this.partyHere(reference) };
  }

  private async attempt(action: ScanAction): Promise<ScanResult> {
    return await this.state.requests.track(action.scan_id, async () => await this.letIn(action));
  }

  private async letIn(action: ScanAction): Promise<ScanResult> {
    const answer = await this.ask(action, async () => await this.server.scan(action));
    if (answer) return await this.resultOf(action, answer);
    const { state } = this;
    const again = async () => await this.attempt(action);
    if (state.cannotStore || !state.performance) throw new NoAnswer(again);
    const named = await state.parties.identify(action.code);
    const { id, cancelled } = state.performance;
    if (typeof named === "string" && named !== "nobody") {
      return await this.resultForUnlisted(action, named, cancelled, again);
    }
    const party = named === "nobody" ? undefined : named.party;
    const firstHere = party && state.parties.firstAdmittedAt(party.reference);
    // A ticket is sent only to who confirmed: they did so since the list came. Who was let in by one did, too.
    const isShown = named !== "nobody" && (named.byTicket || firstHere !== undefined);
    const hasConfirmed = isShown && party?.state === "pending";
    const known = party && hasConfirmed ? { ...party, state: "confirmed" } : party;
    const decision = decide(known, id, cancelled, action, Math.max(0, state.free), state.reentry);
    if (party && hasConfirmed && decision.kind === "admitted") {
      return { kind: "not_listed", people: 0, action, offline: true, party };
    }
    const result: ScanResult = { ...decision, action, offline: true, ...(firstHere && { firstHere }) };
    const reference = party?.reference ?? null;
    await this.record(result, reference, again);
    return { ...result, ...this.partyHere(reference) };
  }

  /** A code that is not on the list is a person's to decide on, if its signature does not tell, and once:
   * who is in by it is in.
   */
  private async resultForUnlisted(
    action: ScanAction,
    ticket: Unlisted,
    isCancelled: boolean,
    again: () => Promise<ScanResult>,
  ): Promise<ScanResult> {
    const listed = decideUnlisted(ticket, isCancelled);
    // Whom nobody knows of is not known to be in either.
    const kind = listed === "not_listed" && action.way === "out" ? "none_in" : listed;
    const result: ScanResult = { kind, people: 0, action, offline: true, ticket };
    if (kind !== "not_listed") {
      await this.record(result, null, again);
      return result;
    }
    const firstHere = this.state.letInUnlisted(await unlistedKey(action.code));
    if (!firstHere) return result;
    const second: ScanResult = { ...result, kind: "already_in", firstHere };
    await this.record(second, null, again);
    return second;
  }

  /** What this phone says of people without a ticket, by its counts. */
  private walkInKind({ people, way }: WalkInAction): Kind {
    const { free, reentry, inBuilding = 0, outsideWithoutTicket: outside } = this.state;
    const { id, cancelled } = this.state.performance!;
    if (way === "out" || way === "again") {
      // As the server does: everybody in the building as one party.
      const everybody = inBuilding + outside;
      const party = { performance_id: id, state: "confirmed", released: 0, outside };
      const all = { ...party, seats: everybody, admitted: everybody };
      return decide(all, id, cancelled, { people, way }, 0, reentry).kind;
    }
    if (cancelled) return "performance_cancelled";
    return people > free ? "full" : "admitted";
  }

  private async attemptWalkIn(action: WalkInAction): Promise<ScanResult> {
    return await this.state.requests.track(action.scan_id, async () => await this.letInWalkIn(action));
  }

  private async letInWalkIn(action: WalkInAction): Promise<ScanResult> {
    const answer = await this.ask(action, async () => await this.server.walkIn(action));
    if (answer) return await this.resultOf(action, answer);
    const { state } = this;
    const again = async () => await this.attemptWalkIn(action);
    if (state.cannotStore || !state.performance) throw new NoAnswer(again);
    const kind = this.walkInKind(action);
    const people = kind in WAYS ? action.people : 0;
    const result: ScanResult = { kind, people, action, offline: true };
    // A refusal, too: the server may have let them in, and its answer was lost.
    await this.record(result, null, again);
    return result;
  }

  /** What the server answers; undefined when this phone must go on by itself. */
  private async ask<Answer>(
    { scan_id: scanId }: Action,
    question: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { cannotStore, performance, waiting } = this.state;
    const mayDecide = !cannotStore && performance !== undefined;
    // Nothing overtakes what waits; and while the network is known to be away, nobody waits for it.
    if (mayDecide && (this.sync.isAway || waiting.length > 0)) return undefined;
    this.state.requests.sent(scanId);
    try {
      return await this.noteIfUnreachable(question());
    } catch (error) {
      if (error instanceof Unreachable) return undefined;
      this.state.requests.answered(scanId);
      if (error instanceof Refused) void this.refused(error);
      throw error;
    }
  }

  /** An answer; where none comes, nobody waits for the next one. */
  private async noteIfUnreachable<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Unreachable) {
        this.sync.lost();
        this.sync.now();
      }
      throw error;
    }
  }

  private async resultOf(action: ScanAction | WalkInAction, answer: Verdict): Promise<ScanResult> {
    const { verdict, people, party, first, evening } = answer;
    await this.state.applyAnswer(party, movement(verdict, people), action);
    return {
      kind: verdict,
      people,
      action,
      offline: false,
      ...this.partyIn(answer, action),
      ...(first && { first }),
      ...(evening && { evening }),
    };
  }

  /** Walk-ins are a booking as well, but nobody's. */
  private partyIn({ party }: Verdict, { kind }: Action): { party?: KnownParty } {
    return party && kind === "scan" ? { party: this.known(party) } : {};
  }

  private partyHere(reference: string | null): { party?: KnownParty } {
    const party = reference && this.state.parties.find(reference);
    return party ? { party } : {};
  }

  private known(party: PartyInfo): KnownParty {
    return { ...party, performance_id: this.state.device.performanceId };
  }

  /** Write down what was decided here, before anybody acts on it. */
  private async record(
    { kind, people, action }: ScanResult,
    reference: string | null,
    again: () => Promise<ScanResult>,
    unlisted?: string,
  ): Promise<void> {
    const at = this.stamp();
    const offline = { at, verdict: kind as Kind, people };
    // What was asked for is no part of what was done.
    const { people: _, seen: __, late: ___, ...scan } = action as ScanAction;
    const way = action.way && { way: WAYS[kind as Kind] ?? action.way };
    const done: Action =
      action.kind === "walk_in" ? { ...action, offline } : { ...scan, ...way, offline };
    const moved = movement(kind, people);
    await this.enqueue({ action: done, reference, ...moved, at }, new NoAnswer(again), unlisted);
  }

  private async enqueue(done: QueuedAction, otherwise: NoAnswer, unlisted?: string): Promise<void> {
    try {
      await this.state.enqueue(done, unlisted);
    } catch {
      throw otherwise;
    }
    if (!this.sync.isAway) this.sync.now();
  }

  private stamp(): string {
    return this.state.clock.now().toISOString();
  }

  private async exchange(batch: readonly QueuedAction[]): Promise<void> {
    this.state.beginSync();
    const asked = performance.now();
    const actions = batch.map((one) => one.action);
    const isDone = this.state.isLeaving && batch.length === this.state.waiting.length;
    const answer = await this.server.sync(this.state.cursor, actions, isDone);
    const arrived = performance.now();
    // The counts may hold people of whom this phone has no answer yet.
    await this.state.requests.settled();
    // Another evening may be kept here by now.
    if (this.isStopped) return;
    this.state.clock.correct(answer.server_time, asked, arrived);
    // What waits makes the sync ask again at once.
    if (this.state.mayCountTwice(batch) && !answer.closed) return;
    await this.state.applySync(answer, batch);
    if (answer.closed || isDone) await this.end("closed");
    this.changed();
  }

  private async putAside(one: QueuedAction, reason: string): Promise<void> {
    await this.state.forget([one], reason);
    this.changed();
  }

  private async refused(why: Refused, batch: readonly QueuedAction[] = []): Promise<void> {
    if (why.status === 401 && why.kind === "device-revoked") {
      // Recorded by the server as it came, and counted for nobody. The rest is still sent.
      await this.state.forget(batch);
      await this.end("revoked");
    } else if (why.kind === "door-closed") await this.end("closed");
    else if (why.status === 401 || why.status === 403) await this.end("unknown");
    else if (why.kind === "reload-needed") this.isOutdated = true;
    else this.state.requestWholeList();
    this.changed();
  }

  private async end(why: "closed" | "revoked" | "unknown"): Promise<void> {
    if (why === "unknown" || this.state.waiting.length === 0) this.sync.stop();
    await this.state.end(why);
    this.changed();
  }
}

/** The way people went by whom a verdict let through. */
const WAYS: Partial<Record<Kind, Way>> = { admitted: "in", let_out: "out", in_again: "again" };
