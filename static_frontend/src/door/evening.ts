/** One evening at this door: what a scan leads to, with the server and without it.
 *
 * Online the server decides. When it does not answer, this phone does, from its list, and keeps what it
 * did until the server has it (docs/door.md).
 */

import { Clock } from "./clock.ts";
import { House, MAX_CODE, type KnownParty } from "./house.ts";
import {
  Away,
  Refused,
  Server,
  type Action,
  type Conflict,
  type Counts,
  type First,
  type ListedParty,
  type Numbers,
  type OtherEvening,
  type Performance,
  type Result,
  type ScanAction,
  type Synced,
  type Verdict,
  type WalkInAction,
} from "./server.ts";
import type { Aside, Contents, Device, Ended, Evening as Kept, Store, Waiting } from "./store.ts";
import { Sync } from "./sync.ts";
import { decide, type Asked, type Kind } from "./verdicts.ts";

/** What the door says to an attempt. */
export interface Told {
  readonly kind: Kind | "undone";
  readonly people: number;
  readonly action: ScanAction | WalkInAction;
  readonly party?: KnownParty;
  readonly first?: First;
  /** Without the server: when this phone let in the first of them. */
  readonly firstHere?: string;
  readonly evening?: OtherEvening;
  readonly offline: boolean;
}

/** Nobody can decide: no answer, and no list or no place to keep what was done. */
export class NoAnswer extends Error {
  /** Try once more: it is the same attempt, and counts once. */
  readonly again: () => Promise<Told>;
  readonly isUndo: boolean;

  constructor(again: () => Promise<Told>, isUndo = false) {
    super("no answer");
    this.again = again;
    this.isUndo = isUndo;
  }
}

export class Evening {
  readonly clock: Clock;
  readonly sync: Sync;
  /** Why the phone is no door device any more. */
  ended: Ended | undefined;
  /** The server speaks another version than this page. */
  isOutdated = false;
  /** Nothing can be kept here: without an answer nobody is let in. */
  keepsNothing = false;
  waiting: readonly Waiting[];
  aside: readonly Aside[];
  dismissed: readonly string[];
  device: Device;
  private kept: Kept | undefined;
  private readonly house: House;
  private readonly server: Server;
  private store: Store | undefined;
  private readonly tell: () => void;
  /** Parties that answered since a sync was asked for: what it says of them may be older. */
  private readonly touched = new Set<string>();
  /** The other tabs of this phone. */
  private others: BroadcastChannel | undefined;
  private isStopped = false;

  constructor(
    device: Device,
    contents: Contents | undefined,
    store: Store | undefined,
    tell: () => void,
  ) {
    this.device = device;
    this.ended = device.ended;
    this.store = store;
    this.keepsNothing = !store;
    this.tell = tell;
    this.kept = contents?.evening;
    this.waiting = contents?.waiting ?? [];
    this.aside = contents?.aside ?? [];
    this.dismissed = contents?.dismissed ?? [];
    this.clock = new Clock(device.behind);
    this.house = new House(device.performanceId, contents?.parties);
    this.house.add(this.waiting);
    this.server = new Server(device.performanceId, device.token);
    this.sync = new Sync({
      waiting: () => this.waiting,
      send: async (batch) => await this.exchange(batch),
      putAside: async (one, reason) => await this.putAside(one, reason),
      refused: async (why, batch) => await this.refused(why, batch),
      changed: () => this.tell(),
      now: () => this.clock.now(),
    });
    if ("BroadcastChannel" in globalThis) {
      this.others = new BroadcastChannel("azionelab-door");
      this.others.onmessage = () => void this.readAgain();
    }
  }

  start(): void {
    void this.lookAtClock();
    if (!this.ended || this.waiting.length > 0) this.sync.start();
  }

  stop(): void {
    this.isStopped = true;
    this.sync.stop();
    this.others?.close();
    this.others = undefined;
  }

  get performance(): Performance | undefined {
    return this.kept?.performance;
  }

  /** Since when there is no network, as far as this phone can know: it may have been off meanwhile. */
  get awaySince(): Date | undefined {
    const { awaySince, hasAnswered } = this.sync;
    return awaySince && !hasAnswered && this.listedAt ? this.listedAt : awaySince;
  }

  get listedAt(): Date | undefined {
    return this.kept && new Date(this.kept.listedAt);
  }

  get conflicts(): readonly Conflict[] {
    return (this.kept?.conflicts ?? []).filter(({ scan_id }) => !this.dismissed.includes(scan_id));
  }

  get counts(): Counts | undefined {
    const counts = this.kept?.counts;
    if (!counts) return undefined;
    const since = this.house.peopleSince;
    return {
      ...counts,
      inside: counts.inside + since,
      to_come: Math.max(0, counts.to_come - since),
    };
  }

  /** People who may come in without a booking, as far as this phone knows. */
  get free(): number {
    const taken = this.waiting.filter((one) => one.action.kind === "walk_in");
    return (this.kept?.counts.free ?? 0) - taken.reduce((sum, one) => sum + one.people, 0);
  }

  isListed(reference: string): boolean {
    return this.house.listed(reference) !== undefined;
  }

  get noShows(): { parties: number; places: number } {
    return this.house.noShows;
  }

  get releaseFrom(): Date | undefined {
    return this.performance && new Date(this.performance.release_from);
  }

  get mayRelease(): boolean {
    const from = this.releaseFrom;
    return from !== undefined && !this.performance!.cancelled && this.clock.now() >= from;
  }

  nameOf(reference: string | null): string | undefined {
    return reference ? this.house.listed(reference)?.name : undefined;
  }

  /** Let in whom `code` names, all of them or as asked. Throws NoAnswer and Refused. */
  async scan(code: string, asked: Asked = {}): Promise<Told> {
    const scan_id = crypto.randomUUID();
    return await this.attempt({ kind: "scan", scan_id, code: code.slice(0, MAX_CODE), ...asked });
  }

  async walkIn(people: number): Promise<Told> {
    return await this.seat({ kind: "walk_in", scan_id: crypto.randomUUID(), people });
  }

  /** What the person at the door decided on a ticket that is not on the list; 0 is nobody. */
  async settle(unlisted: Told, people: number): Promise<Told> {
    const decided = { ...unlisted, people };
    await this.record(decided, null, async () => await this.settle(unlisted, people));
    return decided;
  }

  /** Take an admission back. */
  async undo(told: Told): Promise<Told> {
    const reference = told.party?.reference ?? null;
    const undone = (party?: KnownParty): Told => ({
      kind: "undone",
      people: 0,
      action: told.action,
      offline: !party,
      ...((party ?? (reference && this.house.find(reference))) && {
        party: party ?? this.house.find(reference!)!,
      }),
    });
    if (this.mayAsk) {
      try {
        return undone(await this.keepAnswer(await this.server.undo(told.action.scan_id), -told.people));
      } catch (error) {
        this.noteLost(error);
      }
    }
    const action: Action = { kind: "undo", scan_id: told.action.scan_id };
    const again = new NoAnswer(async () => await this.undo(told), true);
    if (this.keepsNothing) throw again;
    await this.keep({ action, reference, people: -told.people, at: this.stamp() }, again);
    return undone();
  }

  /** Let in another number of a party than was just let in: both steps stand in the books. */
  async correct(told: Told, people: number): Promise<Told> {
    const undone = await this.undo(told);
    if (told.action.kind === "walk_in") return await this.walkIn(people);
    const seen = undone.party && { seen: undone.party.admitted };
    return await this.scan(told.action.code, { people, ...seen });
  }

  search(query: string): KnownParty[] {
    return this.house.search(query);
  }

  /** What the server finds, which knows e-mail addresses as well. Throws Away and Refused. */
  async searchEverywhere(query: string): Promise<KnownParty[]> {
    const { parties } = await this.server.search(query);
    return parties.map((party) => this.house.find(party.reference) ?? this.known(party));
  }

  /** Give the places of those who are not in to whoever waits. Throws Away and Refused. */
  async release(): Promise<void> {
    await this.server.release();
    this.sync.now();
  }

  async takeBack(): Promise<void> {
    await this.server.takeBack();
    this.sync.now();
  }

  async dismiss(scanId: string): Promise<void> {
    this.dismissed = [...this.dismissed, scanId];
    this.aside = this.aside.filter((one) => one.scanId !== scanId);
    await this.write(async (store) => {
      await store.dismiss([...this.dismissed]);
    });
    this.tell();
  }

  /** Forget everything, also what could not be sent. */
  async forget(): Promise<void> {
    this.stop();
    await this.wipe();
  }

  /** The evening ends by the clock, too: a phone that finds no network must not keep the names. */
  async lookAtClock(): Promise<void> {
    const performance = this.performance;
    if (performance && !this.ended && this.clock.now().getTime() > Date.parse(performance.closes_at)) {
      await this.end("closed");
    }
  }

  private get mayAsk(): boolean {
    return this.keepsNothing || (!this.sync.isAway && this.waiting.length === 0);
  }

  private get mayDecide(): boolean {
    return !this.keepsNothing && this.kept !== undefined;
  }

  private async attempt(action: ScanAction): Promise<Told> {
    if (this.mayAsk) {
      try {
        return await this.tellAnswer(action, await this.server.scan(action));
      } catch (error) {
        this.noteLost(error);
      }
    }
    const again = async () => await this.attempt(action);
    if (!this.mayDecide) throw new NoAnswer(again);
    const named = await this.house.read(action.code);
    if (named === "ticket") return { kind: "not_listed", people: 0, action, offline: true };
    const before = named === "nobody" ? undefined : named.party;
    const { id, cancelled } = this.kept!.performance;
    const { kind, people } = decide(before, id, cancelled, action, Math.max(0, this.free));
    const firstHere = before && this.house.firstSince(before.reference);
    const told: Told = { kind, people, action, offline: true, ...(firstHere && { firstHere }) };
    await this.record(told, before?.reference ?? null, again);
    return before ? { ...told, party: this.house.find(before.reference)! } : told;
  }

  private async seat(action: WalkInAction): Promise<Told> {
    if (this.mayAsk) {
      try {
        return await this.tellAnswer(action, await this.server.walkIn(action));
      } catch (error) {
        this.noteLost(error);
      }
    }
    const again = async () => await this.seat(action);
    if (!this.mayDecide) throw new NoAnswer(again);
    const isFull = action.people > this.free;
    const kind = this.kept!.performance.cancelled
      ? "performance_cancelled"
      : isFull
        ? "full"
        : "admitted";
    const told: Told = {
      kind,
      people: kind === "admitted" ? action.people : 0,
      action,
      offline: true,
    };
    if (kind === "admitted") await this.record(told, null, again);
    return told;
  }

  private async tellAnswer(action: ScanAction | WalkInAction, answer: Verdict): Promise<Told> {
    const party = await this.keepAnswer(answer, answer.people);
    return {
      kind: answer.verdict,
      people: answer.people,
      action,
      offline: false,
      // Walk-ins are a booking, too, but without a name.
      ...(party && action.kind === "scan" && { party }),
      ...(answer.first && { first: answer.first }),
      ...(answer.evening && { evening: answer.evening }),
    };
  }

  /** Keep what an answer says of a party; the counts follow until the next sync brings theirs. */
  private async keepAnswer(answer: Verdict, people: number): Promise<KnownParty | undefined> {
    if (this.kept && people) {
      const { counts } = this.kept;
      const inside = counts.inside + people;
      this.kept = { ...this.kept, counts: { ...counts, inside, to_come: counts.to_come - people } };
    }
    this.tell();
    if (!answer.party) return undefined;
    await this.learn(answer.party);
    return this.known(answer.party);
  }

  private async learn(numbers: Numbers): Promise<void> {
    const listed = this.house.listed(numbers.reference);
    if (!listed) return;
    const { state, seats, admitted, released } = numbers;
    const party: ListedParty = { ...listed, state, seats, admitted, released };
    this.touched.add(party.reference);
    this.house.learn([party]);
    await this.write(async (store) => {
      await store.keepParty(party);
    });
  }

  private known(party: Numbers): KnownParty {
    return { ...party, performance_id: this.device.performanceId };
  }

  /** Keep what was decided here; it must be kept before anybody acts on it. */
  private async record(
    told: Told,
    reference: string | null,
    again: () => Promise<Told>,
  ): Promise<void> {
    const at = this.stamp();
    const offline = { at, verdict: told.kind as Kind, people: told.people };
    const { people: _, seen: __, late: ___, ...attempt } = told.action as ScanAction;
    const action: Action =
      told.action.kind === "walk_in" ? { ...told.action, offline } : { ...attempt, offline };
    await this.keep({ action, reference, people: told.people, at }, new NoAnswer(again));
  }

  private async keep(done: Waiting, otherwise: NoAnswer): Promise<void> {
    try {
      this.waiting = [...this.waiting, await this.store!.enqueue(done)];
    } catch {
      this.keepsNothing = true;
      this.tell();
      throw otherwise;
    }
    this.house.add(this.waiting);
    this.others?.postMessage("waiting");
    if (!this.sync.isAway) this.sync.now();
    this.tell();
  }

  private stamp(): string {
    return this.clock.now().toISOString();
  }

  private noteLost(error: unknown): void {
    if (error instanceof Away) {
      this.sync.lost();
      this.sync.now();
      return;
    }
    if (error instanceof Refused) void this.refused(error);
    throw error;
  }

  private async exchange(batch: readonly Waiting[]): Promise<void> {
    this.touched.clear();
    const asked = Date.now();
    const cursor = this.kept?.cursor ?? null;
    const answer = await this.server.sync(
      cursor,
      batch.map((one) => one.action),
    );
    // Another evening may be kept here by now.
    if (this.isStopped) return;
    this.clock.correct(answer.server_time, asked, Date.now());
    await this.take(answer, batch);
  }

  private async take(answer: Synced, batch: readonly Waiting[]): Promise<void> {
    const parties = answer.parties.filter(({ reference }) => !this.touched.has(reference));
    const isWhole = parties.length === answer.parties.length;
    const forget = batch.map((one) => one.order!);
    const aside = batch.flatMap((one, n) => differenceOf(one, answer.results[n]));
    this.kept = {
      performance: answer.performance,
      counts: answer.counts,
      conflicts: answer.conflicts,
      // What was left out is asked for once more.
      cursor: isWhole ? answer.cursor : (this.kept?.cursor ?? null),
      listedAt: answer.server_time,
    };
    this.device = { ...this.device, behind: Math.round(this.clock.behind) };
    const isComplete = answer.complete && isWhole;
    await this.write(async (store) => {
      await store.change({ ...this.forStore(isComplete, parties), forget, aside });
    });
    if (isComplete) this.house.forgetAll();
    this.house.learn(parties);
    this.waiting = this.waiting.filter((one) => !forget.includes(one.order!));
    this.aside = [...this.aside, ...aside];
    this.house.add(this.waiting);
    if (answer.closed) await this.end("closed");
    if (forget.length > 0) this.others?.postMessage("sent");
    this.tell();
  }

  private forStore(isComplete: boolean, parties: readonly ListedParty[]) {
    return { device: this.device, evening: this.kept!, isComplete, parties };
  }

  private async putAside(one: Waiting, reason: string): Promise<void> {
    const aside = asideOf(one, reason, 0);
    this.waiting = this.waiting.filter(({ order }) => order !== one.order);
    this.aside = [...this.aside, aside];
    this.house.add(this.waiting);
    await this.write(async (store) => {
      await store.forget([one.order!], [aside]);
    });
    this.tell();
  }

  private async refused(why: Refused, batch: readonly Waiting[] = []): Promise<void> {
    if (why.status === 401 && why.kind === "device-revoked") {
      // Recorded by the server as it came, and counted for nobody. The rest is still sent.
      this.waiting = this.waiting.filter((one) => !batch.includes(one));
      await this.write(async (store) => await store.forget(batch.map((one) => one.order!)));
      await this.end("revoked");
    } else if (why.status === 401 || why.status === 403) await this.end("unknown");
    else if (why.kind === "reload-needed") this.isOutdated = true;
    else if (this.kept) this.kept = { ...this.kept, cursor: null };
    this.tell();
  }

  /** Wipe the list at once, and the rest when nothing waits or nobody would take it. */
  private async end(why: Ended): Promise<void> {
    this.ended = why;
    this.kept = undefined;
    this.house.forgetAll();
    this.device = { ...this.device, ended: why };
    await this.write(async (store) => {
      await store.wipeList(this.device);
    });
    if (why === "unknown" || this.waiting.length === 0) this.sync.stop();
    if (this.waiting.length === 0) await this.wipe();
    this.tell();
  }

  private async readAgain(): Promise<void> {
    const contents = await this.store?.read().catch(() => undefined);
    if (!contents?.device || contents.device.token !== this.device.token) return location.reload();
    this.kept = contents.evening;
    this.waiting = contents.waiting;
    this.aside = contents.aside;
    this.dismissed = contents.dismissed;
    this.house.forgetAll();
    this.house.learn(contents.parties);
    this.house.add(this.waiting);
    this.tell();
  }

  private async wipe(): Promise<void> {
    const store = this.store;
    this.store = undefined;
    await store?.wipe();
  }

  /** What cannot be kept is still known until the page is closed; that is said. */
  private async write(work: (store: Store) => Promise<void>): Promise<void> {
    if (!this.store) return;
    try {
      await work(this.store);
    } catch {
      this.keepsNothing = true;
    }
  }
}

function differenceOf(one: Waiting, result: Result | undefined): Aside[] {
  // Undone without ever having been counted: both sides agree.
  if (one.action.kind === "undo" && result?.problem === "scan-unknown") return [];
  if (result?.problem) return [asideOf(one, result.problem, 0)];
  // More let in than counted is a conflict, and told to all doors as one.
  const counted = result?.verdict?.people ?? one.people;
  return one.action.kind !== "undo" && counted > one.people
    ? [asideOf(one, result!.verdict!.verdict, counted)]
    : [];
}

function asideOf(one: Waiting, reason: string, counted: number): Aside {
  return {
    scanId: one.action.scan_id,
    reason,
    at: one.at,
    reference: one.reference,
    people: one.people,
    counted,
  };
}

