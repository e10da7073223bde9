/** What this phone knows of its evening, in memory and on its disk, and which of it is to be sent. */

import { OpenRequests } from "./open-requests.ts";
import type { CardContext } from "../screen/cards.ts";
import { Clock } from "./clock.ts";
import { PartyList, withPeopleOut, withPeople, withSeatsTaken } from "../rules/party-list.ts";
import { rightsOf, type Right } from "../rules/rights.ts";
import type {
  Conflict,
  Counts,
  PartyInfo,
  Performance,
  Result,
  ScanAction,
  SyncResponse,
  WalkInAction,
} from "./server.ts";
import {
  updateUnlisted,
  type Discrepancy,
  type StoredData,
  type Device,
  type EndReason,
  type StoredPerformance as Kept,
  type UnlistedAdmission,
  type Store,
  type QueuedAction,
} from "./store.ts";

export class DoorState {
  readonly clock: Clock;
  readonly parties: PartyList;
  readonly requests = new OpenRequests();
  device: Device;
  waiting: readonly QueuedAction[] = [];
  aside: readonly Discrepancy[] = [];
  /** Doors that the server had not heard from when it was last asked: they may have let people in. */
  silent: readonly string[] = [];
  /** Nothing can be kept here: without an answer nobody is let in. */
  cannotStore: boolean;
  private dismissed: readonly string[] = [];
  /** Also after the server was told: it may know their codes no better. */
  private unlisted: readonly UnlistedAdmission[] = [];
  private kept: Kept | undefined;
  private store: Store | undefined;
  /** Parties that answered since a sync was asked for: what it says of them may be older. */
  private readonly touched = new Set<string>();
  /** The other tabs of this phone. */
  private others: BroadcastChannel | undefined;

  /** `changed` is called when another tab has changed what is kept. */
  constructor(
    device: Device,
    contents: StoredData | undefined,
    store: Store | undefined,
    changed: () => void,
  ) {
    this.device = device;
    this.store = store;
    this.cannotStore = !store;
    this.clock = clockOf(device, contents?.evening);
    this.parties = new PartyList(device.performanceId);
    if (contents) this.read(contents);
    if ("BroadcastChannel" in globalThis) {
      this.others = new BroadcastChannel("azionelab-door");
      this.others.onmessage = () => void this.readAgain(changed);
    }
  }

  /** From now on this page leaves what is kept alone: another one, or another evening, has it. */
  close(): void {
    this.others?.close();
    this.others = this.store = undefined;
  }

  /** Why the phone is no door device any more. */
  get ended(): EndReason | undefined {
    return this.device.ended;
  }

  /** A person ended it here, and the server was not told yet. */
  get isLeaving(): boolean {
    return this.device.isLeaving === true;
  }

  /** What this phone may do at its door. */
  get rights(): readonly Right[] {
    return rightsOf(this.device);
  }

  get performance(): Performance | undefined {
    return this.kept?.performance;
  }

  get listedAt(): Date | undefined {
    return this.kept && new Date(this.kept.listedAt);
  }

  get cursor(): number | null {
    return this.kept?.cursor ?? null;
  }

  /** What went wrong at the doors, but for what was seen here. */
  get conflicts(): readonly Conflict[] {
    return (this.kept?.conflicts ?? []).filter(({ scan_id }) => !this.dismissed.includes(scan_id));
  }

  get counts(): Counts | undefined {
    const counts = this.kept?.counts;
    return counts && withSeatsTaken(this.parties.adjustCounts(counts), this.walkInsSince);
  }

  /** Everybody in the building: whom the server knows of, and whom this phone let in and did not tell yet. */
  get inBuilding(): number | undefined {
    const { counts, kept } = this;
    if (!counts || !kept) return undefined;
    // A server of before tells only who is counted, and the conflicts.
    const beyond = () => kept.conflicts.reduce((sum, one) => sum + one.claimed - one.people, 0);
    return counts.in_building ?? counts.inside + beyond();
  }

  /** When that was last sure, by the server's word. */
  get knownAt(): string | undefined {
    return this.kept && (this.kept.counts.known_at ?? this.kept.listedAt);
  }

  /** People who may come in without a booking, as far as this phone knows. */
  get free(): number {
    return this.counts?.free ?? 0;
  }

  /** The places that releasing would free, and those that it would leave held. */
  get noShows(): ReturnType<PartyList["noShows"]> {
    const inside = new Map<string, number>();
    for (const { verdict, reference, claimed, way } of this.kept?.conflicts ?? []) {
      // Who came back was in before.
      if (verdict === "revoked" && reference && way !== "again") inside.set(reference, (inside.get(reference) ?? 0) + claimed);
    }
    return this.parties.noShows(inside);
  }

  /** Whether people may go out; undefined when the server knows nothing of an interval. */
  get reentry(): boolean | undefined {
    return this.performance?.reentry;
  }

  /** People without a ticket who are out for the interval, as far as this phone knows. */
  get outsideWithoutTicket(): number {
    return Math.max(0, (this.counts?.outside ?? 0) - this.parties.outside);
  }

  /** What cards are made with. */
  get cardContext(): CardContext {
    const { listedAt, free, performance } = this;
    return { listedAt, free, performance, now: this.clock.now() };
  }

  get mayRelease(): boolean {
    const { performance } = this;
    return (
      performance !== undefined &&
      !performance.cancelled &&
      this.clock.now().getTime() >= Date.parse(performance.release_from)
    );
  }

  /** Whether the evening is over, whatever somebody did to the phone's clock. */
  get isOver(): boolean {
    const { performance } = this;
    return performance !== undefined && this.clock.isSurelyPast(performance.closes_at);
  }

  /** Whether it is over if the phone's clock is right, which only a person can tell without a network. */
  get mayBeOver(): boolean {
    const { performance } = this;
    return performance !== undefined && this.clock.mayBePast(performance.closes_at);
  }

  /** Keep what time it is: a phone that is killed goes on from there. */
  async keepTime(): Promise<void> {
    const { device, clock, kept } = this;
    // Before the server's first word nothing is known.
    if (kept) await this.write(async (store) => await store.keepTime(device.token, clock.stored));
  }

  /** When this phone let somebody in on a code that is not on its list, by the code's key. */
  letInUnlisted(key: string | undefined): string | undefined {
    return this.unlisted.find((one) => one.key === key)?.at;
  }

  /** Who was let in by this scan is outside again. */
  async forgetUnlisted(scanId: string): Promise<void> {
    if (!this.unlisted.some((one) => one.scanId === scanId)) return;
    this.unlisted = updateUnlisted(this.unlisted, { kind: "undo", scan_id: scanId });
    await this.write(async (store) => await store.keepUnlisted(this.unlisted));
  }

  /** Write down what was done here. Rejects when it cannot be kept: then it must not be done.
   *
   * `unlisted` is the key of a code that is not on the list and let people in.
   */
  async enqueue(done: QueuedAction, unlisted?: string): Promise<void> {
    const { action, people, at } = done;
    const isIn = unlisted !== undefined && people > 0;
    const letIn = isIn ? { key: unlisted, scanId: action.scan_id, at } : undefined;
    try {
      const kept = await this.store!.enqueue(done, letIn);
      this.unlisted = updateUnlisted(this.unlisted, action, letIn);
      // Not before: others may have been sent while this one was written.
      this.waiting = [...this.waiting, kept];
    } catch (error) {
      this.cannotStore = true;
      throw error;
    }
    this.parties.setQueued(this.waiting);
    this.others?.postMessage("waiting");
  }

  /** Keep what an answer says of a party, of whom `people` were let in with it, and so many are `gone` out. */
  async applyAnswer(
    numbers: PartyInfo | null,
    { people, gone }: { people: number; gone: number },
    { kind, scan_id: scanId }: ScanAction | WalkInAction,
  ): Promise<void> {
    const listed = numbers && this.parties.listed(numbers.reference);
    // Who answers only now may have been counted at the first try; the next sync tells.
    const isNew = this.requests.answered(scanId);
    if (this.kept && isNew && (people !== 0 || gone !== 0)) {
      // Until the next sync brings its own.
      const before = withPeopleOut(this.kept.counts, gone);
      const counts = withPeople(before, people, listed, numbers);
      const taken = kind === "walk_in" ? people : 0;
      this.kept = { ...this.kept, counts: withSeatsTaken(counts, taken) };
      this.requests.hasCounted = true;
    }
    const party = listed && { ...listed, ...numbersOf(numbers) };
    if (party) {
      this.touched.add(party.reference);
      this.parties.update([party]);
    }
    const counts = this.kept?.counts;
    if (counts) await this.write(async (store) => await store.keepAnswer(counts, party ?? undefined));
  }

  /** Released places are held again: without a network nobody must be let in against them. */
  async applyRestored(places: number, change: string): Promise<void> {
    this.requests.answered(change);
    if (!this.kept) return;
    const held = withSeatsTaken(this.kept.counts, places);
    const counts = { ...held, to_come: held.to_come + places };
    this.kept = { ...this.kept, counts };
    this.requests.hasCounted = true;
    await this.write(async (store) => await store.keepAnswer(counts));
  }

  /** A sync is asked for: whatever answers from now on is newer than its answer. */
  beginSync(): void {
    this.touched.clear();
    this.requests.beginSync(this.waiting);
  }

  /** Whether people would be counted by this answer and be added here once more. */
  mayCountTwice(batch: readonly QueuedAction[]): boolean {
    return this.requests.mayCountTwice(batch, this.waiting);
  }

  /** Keep the answer to a sync, and forget what it answers. */
  async applySync(answer: SyncResponse, batch: readonly QueuedAction[]): Promise<void> {
    const aside = batch.flatMap((one, n) => discrepanciesOf(one, answer.results[n]));
    if (this.ended === "closed" && !this.isLeaving && !answer.closed && answer.complete) {
      // It was put off since it ended here: this is its door again.
      const { ended: _, ...device } = this.device;
      this.device = device;
    }
    // An answer that was under way brings nobody's name back.
    if (this.ended) return await this.dropQueued(batch, aside);
    const parties = answer.parties.filter(({ reference }) => !this.touched.has(reference));
    const isWhole = parties.length === answer.parties.length;
    const isComplete = answer.complete && isWhole;
    const rights = answer.rights && { rights: answer.rights };
    this.device = { ...this.device, ...this.clock.stored, ...rights };
    this.clock.until = Date.parse(answer.performance.closes_at);
    this.kept = {
      performance: answer.performance,
      // As of before, with what was answered since; the next sync has all of it.
      counts: (this.requests.hasCounted && this.kept?.counts) || answer.counts,
      conflicts: answer.conflicts,
      // What was left out is asked for once more.
      cursor: isWhole ? answer.cursor : this.cursor,
      listedAt: answer.server_time,
      ticketKeys: answer.ticket_keys ?? [],
    };
    this.parties.ticketKeys = answer.ticket_keys ?? [];
    this.silent = answer.silent ?? [];
    if (isComplete) this.parties.clear();
    this.parties.update(parties);
    const forget = this.drop(batch, aside);
    const change = { device: this.device, evening: this.kept, isComplete, parties, forget, aside };
    await this.write(async (store) => await store.change(change));
    if (forget.length > 0) this.others?.postMessage("sent");
  }

  /** Wait no longer with these: the server has heard them, or will never take them. */
  async forget(batch: readonly QueuedAction[], reason?: string): Promise<void> {
    const aside = reason === undefined ? [] : batch.map((one) => discrepancyOf(one, reason, 0));
    await this.dropQueued(batch, aside);
  }

  /** Ask for the whole list again. */
  requestWholeList(): void {
    if (this.kept) this.kept = { ...this.kept, cursor: null };
  }

  async dismiss(scanIds: readonly string[]): Promise<void> {
    this.dismissed = [...this.dismissed, ...scanIds];
    this.aside = this.aside.filter((one) => !scanIds.includes(one.scanId));
    await this.write(async (store) => await store.dismiss(scanIds, [...this.dismissed]));
  }

  /** The evening ends here: the list goes at once, and the rest when nothing waits. */
  async end(why: EndReason): Promise<void> {
    this.device = { ...this.device, ended: why };
    this.kept = undefined;
    this.parties.clear();
    await this.write(async (store) => await store.wipeList(this.device));
    if (this.waiting.length === 0) await this.wipe();
  }

  /** A person ends it here: the list goes at once, and the rest when the server was told. */
  async leave(): Promise<void> {
    this.device = { ...this.device, ended: "closed", isLeaving: true };
    this.kept = undefined;
    this.parties.clear();
    await this.write(async (store) => await store.wipeList(this.device));
  }

  /** Forget everything, also what could not be sent. */
  async wipe(): Promise<void> {
    const store = this.store;
    this.close();
    await store?.wipe();
  }

  /** People without a booking who were let in here, less those of undone scans. */
  private get walkInsSince(): number {
    const walkIns = this.waiting.filter((one) => one.action.kind === "walk_in");
    const scans = new Set(walkIns.map((one) => one.action.scan_id));
    return this.waiting
      .filter((one) => scans.has(one.action.scan_id))
      .reduce((sum, one) => sum + one.people, 0);
  }

  private read(contents: StoredData): void {
    this.kept = contents.evening;
    this.clock.until = endOf(contents.evening);
    this.waiting = contents.waiting;
    this.aside = contents.aside;
    this.dismissed = contents.dismissed;
    this.unlisted = contents.unlisted;
    this.parties.ticketKeys = contents.evening?.ticketKeys ?? [];
    this.parties.clear();
    this.parties.update(contents.parties);
    this.parties.setQueued(this.waiting);
  }

  private async readAgain(changed: () => void): Promise<void> {
    const contents = await this.store?.read().catch(() => undefined);
    // Wiped, or another evening's.
    if (contents?.device?.token !== this.device.token) return location.reload();
    this.read(contents);
    changed();
  }

  private async dropQueued(batch: readonly QueuedAction[], aside: readonly Discrepancy[]): Promise<void> {
    const forget = this.drop(batch, aside);
    await this.write(async (store) => await store.forget(forget, aside));
  }

  private drop(batch: readonly QueuedAction[], aside: readonly Discrepancy[]): number[] {
    const orders = batch.map((one) => one.order!);
    for (const { action } of batch) this.requests.answered(action.scan_id);
    this.waiting = this.waiting.filter((one) => !orders.includes(one.order!));
    this.aside = [...this.aside, ...aside];
    this.parties.setQueued(this.waiting);
    return orders;
  }

  /** What cannot be kept is still known until the page is closed; that is said. */
  private async write(work: (store: Store) => Promise<void>): Promise<void> {
    if (!this.store) return;
    try {
      await work(this.store);
    } catch {
      this.cannotStore = true;
    }
  }
}

function endOf(evening: Kept | undefined): number {
  return evening ? Date.parse(evening.performance.closes_at) : Infinity;
}

/** The time as this phone kept it. Before 0.4 it kept only when the server answered last. */
function clockOf(device: Device, evening: Kept | undefined): Clock {
  const known = device.known ?? (evening && Date.parse(evening.listedAt));
  return new Clock({ ...device, ...(known !== undefined && { known }) }, endOf(evening));
}

/** What an answer tells of a party; a server before 0.4 tells only the numbers. */
function numbersOf(info: PartyInfo): Omit<PartyInfo, "reference" | "name"> {
  const { state, seats, admitted, released, note, has_note, late_at, ended, reduced, outside = 0 } = info;
  const noted = note !== undefined && has_note !== undefined ? { note, has_note } : {};
  const late = late_at !== undefined ? { late_at } : {};
  const changed = ended !== undefined && reduced !== undefined ? { ended, reduced } : {};
  return { state, seats, admitted, released, outside, ...noted, ...late, ...changed };
}

/** What the server did not count as it was told here. */
function discrepanciesOf(one: QueuedAction, result: Result | undefined): Discrepancy[] {
  const { kind } = one.action;
  // Undone without ever having been counted: both sides agree.
  if (kind === "undo" && result?.problem === "scan-unknown") return [];
  if (result?.problem) return [discrepancyOf(one, result.problem, 0)];
  // More let in than counted is a conflict, and told to all doors as one.
  const verdict = result?.verdict;
  const moved = peopleMoved(one);
  // Of those who went out too many nobody is in beyond the books, so that no conflict tells of them.
  const isOtherwise = isOut(one) ? verdict?.people !== moved : (verdict?.people ?? 0) > moved;
  return verdict && kind !== "undo" && isOtherwise
    ? [discrepancyOf(one, verdict.verdict, verdict.people)]
    : [];
}

function discrepancyOf(one: QueuedAction, reason: string, counted: number): Discrepancy {
  return {
    scanId: one.action.scan_id,
    reason,
    at: one.at,
    reference: one.reference,
    people: peopleMoved(one),
    counted,
    ...(isOut(one) && { isOut: true }),
  };
}

/** How many people went through the door by it, whichever way. */
function peopleMoved({ people, gone = 0 }: QueuedAction): number {
  return people + Math.abs(gone);
}

function isOut({ gone = 0 }: QueuedAction): boolean {
  return gone > 0;
}
