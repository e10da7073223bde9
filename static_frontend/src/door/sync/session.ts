/** A session of this phone at one performance: scans, walk-ins, undo, search, release; online and offline.
 *
 * Online the server decides. If it does not answer, the phone decides from its list, and queues the action until
 * the server has recorded it (docs/door.md).
 */

import { decideScan, decideWalkIn } from "../rules/offline-results.ts";
import { unlistedKey, MAX_CODE, type SearchResult, type KnownParty } from "../rules/party-list.ts";
import { WAYS, type ScanResult } from "../rules/scan-result.ts";
import { insideOf, movement, type ScanOptions, type Kind, type Way } from "../rules/verdicts.ts";
import { Connection } from "./connection.ts";
import { DoorState } from "./door-state.ts";
import type { Action, PartyInfo, ReleaseResult, ScanAction, Verdict, WalkInAction } from "./protocol.ts";
import { Server } from "./server.ts";
import type { StoredData, Device, Store, QueuedAction } from "./store.ts";
import type { Sync } from "./sync.ts";

/** No verdict: the server does not answer, and the phone has no list or cannot store actions. */
export class NoAnswer extends Error {
  /** Try again with the same scan id: it counts once. */
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
  private readonly server: Server;
  private readonly connection: Connection;
  private readonly changed: () => void;

  /** `changed` is called after every visible change. */
  constructor(
    device: Device,
    contents: StoredData | undefined,
    store: Store | undefined,
    tell: () => void,
  ) {
    this.changed = tell;
    this.state = new DoorState(device, contents, store, tell);
    this.server = new Server(device.performanceId, device.token);
    this.connection = new Connection(this.state, this.server, tell);
  }

  start(): void {
    void this.lookAtClock();
    const { ended, isLeaving, waiting } = this.state;
    if (!ended || isLeaving || waiting.length > 0) this.sync.start();
  }

  stop(): void {
    this.connection.stop();
    this.state.close();
  }

  get sync(): Sync {
    return this.connection.sync;
  }

  /** The server requires another protocol version than this page has. */
  get isOutdated(): boolean {
    return this.connection.isOutdated;
  }

  /** Since when the server has been unreachable; before the first answer, since the last sync of the list. */
  get awaySince(): Date | undefined {
    const { awaySince, hasAnswered } = this.sync;
    return awaySince && !hasAnswered ? (this.state.listedAt ?? awaySince) : awaySince;
  }

  /** Scan a code, with the given options. Throws NoAnswer and Refused. */
  async scan(code: string, asked: ScanOptions = {}): Promise<ScanResult> {
    const scan_id = crypto.randomUUID();
    // Servers before 0.4 refuse the field `way`.
    const way = this.state.reentry === undefined ? {} : { way: asked.way ?? ("any" as const) };
    const attempt = { ...asked, ...way };
    return await this.attempt({ kind: "scan", scan_id, code: code.slice(0, MAX_CODE), ...attempt });
  }

  /** Let walk-ins in, or people without a ticket out and in again. Throws NoAnswer and Refused. */
  async walkIn(people: number, way?: Way): Promise<ScanResult> {
    const scan_id = crypto.randomUUID();
    return await this.attemptWalkIn({ kind: "walk_in", scan_id, people, ...(way && { way }) });
  }

  /** Record the user's decision on a ticket that is not on the list: let in `people`, or refuse (0). */
  async settle(unlisted: ScanResult, people: number): Promise<ScanResult> {
    const decided = { ...unlisted, people };
    const reference = unlisted.party?.reference ?? null;
    const again = async () => await this.settle(unlisted, people);
    const key = await unlistedKey((unlisted.action as ScanAction).code);
    await this.record(decided, reference, again, key);
    return decided;
  }

  /** Undo an admission or passage. Throws NoAnswer and Refused. */
  async undo(result: ScanResult): Promise<ScanResult> {
    return await this.state.requests.track(result.action.scan_id, async () => await this.undoAdmission(result));
  }

  /** Correct the number of people: undo, then scan again. Both are in the scan log. */
  async correct(result: ScanResult, people: number): Promise<ScanResult> {
    const undone = await this.undo(result);
    const way = WAYS[result.kind as Kind];
    if (result.action.kind === "walk_in") return await this.walkIn(people, result.action.way);
    const { party } = undone;
    const seen = party && { seen: way === "in" ? party.admitted : insideOf(party) };
    return await this.scan(result.action.code, { people, ...seen, ...(way && { way }) });
  }

  /** Search on the server, which also knows e-mail addresses. Throws Unreachable and Refused. */
  async searchEverywhere(query: string): Promise<SearchResult> {
    const { parties, more = false } = await this.connection.noteIfUnreachable(this.server.search(query));
    const found = parties.map((party) => this.state.parties.find(party.reference) ?? this.known(party));
    return { parties: found, more };
  }

  /** Release the seats of no-shows, with `withLate` also those of late parties. Throws Unreachable and Refused. */
  async release(withLate = false): Promise<ReleaseResult> {
    // Queued admissions must be sent before, or their people would count as no-shows.
    return await this.connection.afterFlush(async () => await this.server.release(withLate));
  }

  /** Restore released seats as far as they are free. Throws Unreachable and Refused. */
  async restore(): Promise<ReleaseResult> {
    const change = crypto.randomUUID();
    const { requests } = this.state;
    return await this.connection.afterFlush(async () =>
      await requests.track(change, async () => {
        requests.sent(change);
        const taken = await this.server.restore();
        await this.state.applyRestored(taken.places, change);
        return taken;
      }),
    );
  }

  /** Hide the notices on these scans. */
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

  /** Delete all data, queued actions included. */
  async forget(): Promise<void> {
    this.sync.stop();
    await this.state.wipe();
  }

  /** End the session when the performance is over by the clock: an offline phone must not keep the names. */
  async lookAtClock(): Promise<void> {
    if (this.state.isOver) await this.connection.end("closed");
    else await this.state.keepTime();
  }

  /** End the session by hand: delete the list, keep queued actions, tell the server. */
  async endEvening(): Promise<void> {
    await this.state.leave();
    this.sync.now();
    this.changed();
  }

  private async undoAdmission(result: ScanResult): Promise<ScanResult> {
    const { action, party } = result;
    const { people, gone } = movement(result.kind, result.people);
    const undone = { kind: "undone", people: 0, action } as const;
    const answer = await this.connection.ask(action, async () => await this.server.undo(action.scan_id));
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
    const answer = await this.connection.ask(action, async () => await this.server.scan(action));
    if (answer) return await this.resultOf(action, answer);
    const { state } = this;
    const again = async () => await this.attempt(action);
    if (state.cannotStore || !state.performance) throw new NoAnswer(again);
    const { result, reference } = await decideScan(action, state);
    // The user decides, and settle() records that.
    if (result.kind === "not_listed") return result;
    await this.record(result, reference, again);
    return { ...result, ...this.partyHere(reference) };
  }

  private async attemptWalkIn(action: WalkInAction): Promise<ScanResult> {
    return await this.state.requests.track(action.scan_id, async () => await this.letInWalkIn(action));
  }

  private async letInWalkIn(action: WalkInAction): Promise<ScanResult> {
    const answer = await this.connection.ask(action, async () => await this.server.walkIn(action));
    if (answer) return await this.resultOf(action, answer);
    const { state } = this;
    const again = async () => await this.attemptWalkIn(action);
    if (state.cannotStore || !state.performance) throw new NoAnswer(again);
    const result = decideWalkIn(action, state);
    // Refusals are recorded too: the server may have let them in, and its answer was lost.
    await this.record(result, null, again);
    return result;
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

  /** The party of a scan. Walk-ins have a reservation, too, but no visitor to show. */
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

  /** Store an offline decision before it is shown. */
  private async record(
    { kind, people, action }: ScanResult,
    reference: string | null,
    again: () => Promise<ScanResult>,
    unlisted?: string,
  ): Promise<void> {
    const at = this.stamp();
    const offline = { at, verdict: kind as Kind, people };
    // The request's options are not part of the decision.
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
}
