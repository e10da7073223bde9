/** One evening at this door: what a scan leads to, with the server and without it.
 *
 * Online the server decides. When it does not answer, this phone does, from its list, and keeps what it
 * did until the server has it (docs/door.md).
 */

import { keyOf, MAX_CODE, type Found, type KnownParty } from "./house.ts";
import { Notebook } from "./notebook.ts";
import {
  Away,
  Refused,
  Server,
  type Action,
  type First,
  type Numbers,
  type OtherEvening,
  type Places,
  type ScanAction,
  type Verdict,
  type WalkInAction,
} from "./server.ts";
import type { Contents, Device, Store, Waiting } from "./store.ts";
import { Sync } from "./sync.ts";
import {
  decide,
  decideUnlisted,
  insideOf,
  movedBy,
  type Asked,
  type Kind,
  type Unlisted,
  type Way,
} from "./verdicts.ts";

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
  /** Without the server, of a code that is not on the list: what is known of it. */
  readonly ticket?: Unlisted;
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
  readonly book: Notebook;
  readonly sync: Sync;
  /** The server speaks another version than this page. */
  isOutdated = false;
  private readonly server: Server;
  private readonly tell: () => void;
  private isStopped = false;

  /** `tell` is called whenever something has changed that can be seen. */
  constructor(
    device: Device,
    contents: Contents | undefined,
    store: Store | undefined,
    tell: () => void,
  ) {
    this.tell = tell;
    this.book = new Notebook(device, contents, store, tell);
    this.server = new Server(device.performanceId, device.token);
    this.sync = new Sync({
      waiting: () => this.book.waiting,
      send: async (batch) => await this.exchange(batch),
      putAside: async (one, reason) => await this.putAside(one, reason),
      refused: async (why, batch) => await this.refused(why, batch),
      changed: tell,
      now: () => this.book.clock.now(),
    });
  }

  start(): void {
    void this.lookAtClock();
    const { ended, isLeaving, waiting } = this.book;
    if (!ended || isLeaving || waiting.length > 0) this.sync.start();
  }

  stop(): void {
    this.isStopped = true;
    this.sync.stop();
    this.book.close();
  }

  /** Since when there is no network, as far as this phone can know: it may have been off meanwhile. */
  get awaySince(): Date | undefined {
    const { awaySince, hasAnswered } = this.sync;
    return awaySince && !hasAnswered ? (this.book.listedAt ?? awaySince) : awaySince;
  }

  /** Let in whom `code` names, all of them or as asked. Throws NoAnswer and Refused. */
  async scan(code: string, asked: Asked = {}): Promise<Told> {
    const scan_id = crypto.randomUUID();
    // A server of before knows of no ways, and refuses them.
    const way = this.book.reentry === undefined ? {} : { way: asked.way ?? ("any" as const) };
    const attempt = { ...asked, ...way };
    return await this.attempt({ kind: "scan", scan_id, code: code.slice(0, MAX_CODE), ...attempt });
  }

  /** Let in people without a booking, or out and in again such without a ticket. Throws NoAnswer and Refused. */
  async walkIn(people: number, way?: Way): Promise<Told> {
    const scan_id = crypto.randomUUID();
    return await this.seat({ kind: "walk_in", scan_id, people, ...(way && { way }) });
  }

  /** What the person at the door decided on a ticket that is not on the list; 0 is nobody. */
  async settle(unlisted: Told, people: number): Promise<Told> {
    const decided = { ...unlisted, people };
    const reference = unlisted.party?.reference ?? null;
    const again = async () => await this.settle(unlisted, people);
    const key = await keyOf((unlisted.action as ScanAction).code);
    await this.writeDown(decided, reference, again, key);
    return decided;
  }

  /** Take an admission back. Throws NoAnswer and Refused. */
  async undo(told: Told): Promise<Told> {
    return await this.book.attempts.during(told.action.scan_id, async () => await this.takeOut(told));
  }

  /** Let in another number of people than just now: both steps stand in the books. */
  async correct(told: Told, people: number): Promise<Told> {
    const undone = await this.undo(told);
    const way = WAYS[told.kind as Kind];
    if (told.action.kind === "walk_in") return await this.walkIn(people, told.action.way);
    const { party } = undone;
    const seen = party && { seen: way === "in" ? party.admitted : insideOf(party) };
    return await this.scan(told.action.code, { people, ...seen, ...(way && { way }) });
  }

  /** What the server finds, which knows e-mail addresses as well. Throws Away and Refused. */
  async searchEverywhere(query: string): Promise<Found> {
    const { parties, more = false } = await this.heard(this.server.search(query));
    const found = parties.map((party) => this.book.house.find(party.reference) ?? this.known(party));
    return { parties: found, more };
  }

  /** Give the places of those who are not in to whoever waits; also of those who told that they come late?
   *
   * Throws Away and Refused.
   */
  async release(withLate = false): Promise<Places> {
    // Whom this phone let in and has not told of would be taken for missing.
    return await this.move(async () => await this.server.release(withLate));
  }

  /** Hold released places again, as far as nobody else has them. Throws Away and Refused. */
  async takeBack(): Promise<Places> {
    const change = crypto.randomUUID();
    const { attempts } = this.book;
    return await this.move(async () =>
      await attempts.during(change, async () => {
        attempts.asks(change);
        const taken = await this.server.takeBack();
        await this.book.heldAgain(taken.places, change);
        return taken;
      }),
    );
  }

  /** Somebody has seen what went wrong with these scans. */
  async dismiss(scanIds: readonly string[]): Promise<void> {
    await this.book.dismiss(scanIds);
    this.tell();
  }

  async dismissAll(): Promise<void> {
    const { conflicts, aside } = this.book;
    await this.dismiss([
      ...conflicts.map(({ scan_id }) => scan_id),
      ...aside.map(({ scanId }) => scanId),
    ]);
  }

  /** Forget everything, also what could not be sent. */
  async forget(): Promise<void> {
    this.sync.stop();
    await this.book.wipe();
  }

  /** The evening ends by the clock, too: a phone that finds no network must not keep the names. */
  async lookAtClock(): Promise<void> {
    if (this.book.isOver) await this.end("closed");
    else await this.book.keepTime();
  }

  /** A person says that it is over: the names go, what waits is kept, and the server is told. */
  async endHere(): Promise<void> {
    await this.book.leave();
    this.sync.now();
    this.tell();
  }

  /** Let places change hands, when the server knows all that was done here. */
  private async move(places: () => Promise<Places>): Promise<Places> {
    await this.sync.flush();
    const moved = await this.heard(places());
    this.sync.now();
    return moved;
  }

  private async takeOut(told: Told): Promise<Told> {
    const { action, party } = told;
    const { people, gone } = movedBy(told.kind, told.people);
    const undone = { kind: "undone", people: 0, action } as const;
    const answer = await this.ask(action, async () => await this.server.undo(action.scan_id));
    if (answer) {
      await this.book.forgetUnlisted(action.scan_id);
      await this.book.learn(answer.party, { people: -people, gone: -gone }, action);
      return { ...undone, offline: false, ...this.partyIn(answer, action) };
    }
    const again = new NoAnswer(async () => await this.undo(told), true);
    if (this.book.keepsNothing) throw again;
    const reference = party?.reference ?? null;
    const undo: Action = { kind: "undo", scan_id: action.scan_id };
    const at = this.stamp();
    await this.keep({ action: undo, reference, people: -people, gone: -gone, at }, again);
    return { ...undone, offline: true, ...this.partyHere(reference) };
  }

  private async attempt(action: ScanAction): Promise<Told> {
    return await this.book.attempts.during(action.scan_id, async () => await this.letIn(action));
  }

  private async letIn(action: ScanAction): Promise<Told> {
    const answer = await this.ask(action, async () => await this.server.scan(action));
    if (answer) return await this.tellAnswer(action, answer);
    const { book } = this;
    const again = async () => await this.attempt(action);
    if (book.keepsNothing || !book.performance) throw new NoAnswer(again);
    const named = await book.house.read(action.code);
    const { id, cancelled } = book.performance;
    if (typeof named === "string" && named !== "nobody") {
      return await this.tellUnlisted(action, named, cancelled, again);
    }
    const party = named === "nobody" ? undefined : named.party;
    const firstHere = party && book.house.firstSince(party.reference);
    // A ticket is sent only to who confirmed: they did so since the list came. Who was let in by one did, too.
    const isShown = named !== "nobody" && (named.byTicket || firstHere !== undefined);
    const hasConfirmed = isShown && party?.state === "pending";
    const known = party && hasConfirmed ? { ...party, state: "confirmed" } : party;
    const decision = decide(known, id, cancelled, action, Math.max(0, book.free), book.reentry);
    if (party && hasConfirmed && decision.kind === "admitted") {
      return { kind: "not_listed", people: 0, action, offline: true, party };
    }
    const told: Told = { ...decision, action, offline: true, ...(firstHere && { firstHere }) };
    const reference = party?.reference ?? null;
    await this.writeDown(told, reference, again);
    return { ...told, ...this.partyHere(reference) };
  }

  /** A code that is not on the list is a person's to decide on, if its signature does not tell, and once:
   * who is in by it is in.
   */
  private async tellUnlisted(
    action: ScanAction,
    ticket: Unlisted,
    isCancelled: boolean,
    again: () => Promise<Told>,
  ): Promise<Told> {
    const listed = decideUnlisted(ticket, isCancelled);
    // Whom nobody knows of is not known to be in either.
    const kind = listed === "not_listed" && action.way === "out" ? "none_in" : listed;
    const told: Told = { kind, people: 0, action, offline: true, ticket };
    if (kind !== "not_listed") {
      await this.writeDown(told, null, again);
      return told;
    }
    const firstHere = this.book.letInUnlisted(await keyOf(action.code));
    if (!firstHere) return told;
    const second: Told = { ...told, kind: "already_in", firstHere };
    await this.writeDown(second, null, again);
    return second;
  }

  /** What this phone says of people without a ticket, by its counts. */
  private walkInKind({ people, way }: WalkInAction): Kind {
    const { free, reentry, inBuilding = 0, outsideWithoutTicket: outside } = this.book;
    const { id, cancelled } = this.book.performance!;
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

  private async seat(action: WalkInAction): Promise<Told> {
    return await this.book.attempts.during(action.scan_id, async () => await this.letInWalkIn(action));
  }

  private async letInWalkIn(action: WalkInAction): Promise<Told> {
    const answer = await this.ask(action, async () => await this.server.walkIn(action));
    if (answer) return await this.tellAnswer(action, answer);
    const { book } = this;
    const again = async () => await this.seat(action);
    if (book.keepsNothing || !book.performance) throw new NoAnswer(again);
    const kind = this.walkInKind(action);
    const people = kind in WAYS ? action.people : 0;
    const told: Told = { kind, people, action, offline: true };
    // A refusal, too: the server may have let them in, and its answer was lost.
    await this.writeDown(told, null, again);
    return told;
  }

  /** What the server answers; undefined when this phone must go on by itself. */
  private async ask<Answer>(
    { scan_id: scanId }: Action,
    question: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { keepsNothing, performance, waiting } = this.book;
    const mayDecide = !keepsNothing && performance !== undefined;
    // Nothing overtakes what waits; and while the network is known to be away, nobody waits for it.
    if (mayDecide && (this.sync.isAway || waiting.length > 0)) return undefined;
    this.book.attempts.asks(scanId);
    try {
      return await this.heard(question());
    } catch (error) {
      if (error instanceof Away) return undefined;
      this.book.attempts.answered(scanId);
      if (error instanceof Refused) void this.refused(error);
      throw error;
    }
  }

  /** An answer; where none comes, nobody waits for the next one. */
  private async heard<Answer>(answer: Promise<Answer>): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      if (error instanceof Away) {
        this.sync.lost();
        this.sync.now();
      }
      throw error;
    }
  }

  private async tellAnswer(action: ScanAction | WalkInAction, answer: Verdict): Promise<Told> {
    const { verdict, people, party, first, evening } = answer;
    await this.book.learn(party, movedBy(verdict, people), action);
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
    const party = reference && this.book.house.find(reference);
    return party ? { party } : {};
  }

  private known(party: Numbers): KnownParty {
    return { ...party, performance_id: this.book.device.performanceId };
  }

  /** Write down what was decided here, before anybody acts on it. */
  private async writeDown(
    { kind, people, action }: Told,
    reference: string | null,
    again: () => Promise<Told>,
    unlisted?: string,
  ): Promise<void> {
    const at = this.stamp();
    const offline = { at, verdict: kind as Kind, people };
    // What was asked for is no part of what was done.
    const { people: _, seen: __, late: ___, ...scan } = action as ScanAction;
    const way = action.way && { way: WAYS[kind as Kind] ?? action.way };
    const done: Action =
      action.kind === "walk_in" ? { ...action, offline } : { ...scan, ...way, offline };
    const moved = movedBy(kind, people);
    await this.keep({ action: done, reference, ...moved, at }, new NoAnswer(again), unlisted);
  }

  private async keep(done: Waiting, otherwise: NoAnswer, unlisted?: string): Promise<void> {
    try {
      await this.book.writeDown(done, unlisted);
    } catch {
      throw otherwise;
    }
    if (!this.sync.isAway) this.sync.now();
  }

  private stamp(): string {
    return this.book.clock.now().toISOString();
  }

  private async exchange(batch: readonly Waiting[]): Promise<void> {
    this.book.beginSync();
    const asked = performance.now();
    const actions = batch.map((one) => one.action);
    const isDone = this.book.isLeaving && batch.length === this.book.waiting.length;
    const answer = await this.server.sync(this.book.cursor, actions, isDone);
    const arrived = performance.now();
    // The counts may hold people of whom this phone has no answer yet.
    await this.book.attempts.settled();
    // Another evening may be kept here by now.
    if (this.isStopped) return;
    this.book.clock.correct(answer.server_time, asked, arrived);
    // What waits makes the sync ask again at once.
    if (this.book.mayCountTwice(batch) && !answer.closed) return;
    await this.book.take(answer, batch);
    if (answer.closed || isDone) await this.end("closed");
    this.tell();
  }

  private async putAside(one: Waiting, reason: string): Promise<void> {
    await this.book.forget([one], reason);
    this.tell();
  }

  private async refused(why: Refused, batch: readonly Waiting[] = []): Promise<void> {
    if (why.status === 401 && why.kind === "device-revoked") {
      // Recorded by the server as it came, and counted for nobody. The rest is still sent.
      await this.book.forget(batch);
      await this.end("revoked");
    } else if (why.kind === "door-closed") await this.end("closed");
    else if (why.status === 401 || why.status === 403) await this.end("unknown");
    else if (why.kind === "reload-needed") this.isOutdated = true;
    else this.book.doubtList();
    this.tell();
  }

  private async end(why: "closed" | "revoked" | "unknown"): Promise<void> {
    if (why === "unknown" || this.book.waiting.length === 0) this.sync.stop();
    await this.book.end(why);
    this.tell();
  }
}

/** The way people went by whom a verdict let through. */
const WAYS: Partial<Record<Kind, Way>> = { admitted: "in", let_out: "out", in_again: "again" };
