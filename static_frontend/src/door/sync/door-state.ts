/** The state of this phone at its door, and its changes, in memory and in IndexedDB. */

import { discrepanciesOf, discrepancyOf } from "../rules/discrepancies.ts";
import { withPeopleOut, withPeople, withSeatsTaken } from "../rules/party-list.ts";
import { rightsOf, type Right } from "../rules/rights.ts";
import { OpenRequests } from "./open-requests.ts";
import { endOf, PerformanceState } from "./performance-state.ts";
import type { PartyInfo, ScanAction, SyncResponse, WalkInAction } from "./protocol.ts";
import {
  updateUnlisted,
  type Discrepancy,
  type StoredData,
  type Device,
  type EndReason,
  type UnlistedAdmission,
  type Store,
  type QueuedAction,
} from "./store.ts";

export class DoorState extends PerformanceState {
  readonly requests = new OpenRequests();
  device: Device;
  aside: readonly Discrepancy[] = [];
  /** Devices that were silent at the last sync: they may have let people in. */
  silent: readonly string[] = [];
  /** IndexedDB does not work: nobody is let in without the server's answer. */
  cannotStore: boolean;
  /** Kept after the sync as well: the server may not know these codes either. */
  private unlisted: readonly UnlistedAdmission[] = [];
  private store: Store | undefined;
  /** Parties with an answer since the sync was sent: its response may be older. */
  private readonly touched = new Set<string>();
  /** Other tabs on this phone. */
  private others: BroadcastChannel | undefined;

  /** `changed` is called after another tab has changed the stored data. */
  constructor(
    device: Device,
    contents: StoredData | undefined,
    store: Store | undefined,
    changed: () => void,
  ) {
    super(device, contents?.evening);
    this.device = device;
    this.store = store;
    this.cannotStore = !store;
    if (contents) this.read(contents);
    if ("BroadcastChannel" in globalThis) {
      this.others = new BroadcastChannel("azionelab-door");
      this.others.onmessage = () => void this.readAgain(changed);
    }
  }

  /** Stop writing: the stored data belongs to another device or tab from now on. */
  close(): void {
    this.others?.close();
    this.others = this.store = undefined;
  }

  /** Why the phone is not a door device any more. */
  get ended(): EndReason | undefined {
    return this.device.ended;
  }

  /** The user has ended the evening, and the server has not been told yet. */
  get isLeaving(): boolean {
    return this.device.isLeaving === true;
  }

  /** The rights of this device. */
  get rights(): readonly Right[] {
    return rightsOf(this.device);
  }

  /** Store the time, for the next start of the app. */
  async keepTime(): Promise<void> {
    const { device, clock, kept } = this;
    // Before the first sync the time is not known.
    if (kept) await this.write(async (store) => await store.keepTime(device.token, clock.stored));
  }

  /** When this phone let people in by an unlisted code, found by the code's key. */
  letInUnlisted(key: string | undefined): string | undefined {
    return this.unlisted.find((one) => one.key === key)?.at;
  }

  /** Undo the admission of an unlisted code. */
  async forgetUnlisted(scanId: string): Promise<void> {
    if (!this.unlisted.some((one) => one.scanId === scanId)) return;
    this.unlisted = updateUnlisted(this.unlisted, { kind: "undo", scan_id: scanId });
    await this.write(async (store) => await store.keepUnlisted(this.unlisted));
  }

  /** Store an action in the queue. Rejects if that fails: then the action must not be carried out.
   *
   * `unlisted` is the key of an unlisted code by which people were let in.
   */
  async enqueue(done: QueuedAction, unlisted?: string): Promise<void> {
    const { action, people, at } = done;
    const isIn = unlisted !== undefined && people > 0;
    const letIn = isIn ? { key: unlisted, scanId: action.scan_id, at } : undefined;
    try {
      const kept = await this.store!.enqueue(done, letIn);
      this.unlisted = updateUnlisted(this.unlisted, action, letIn);
      // Read `waiting` only now: others may have been sent meanwhile.
      this.waiting = [...this.waiting, kept];
    } catch (error) {
      this.cannotStore = true;
      throw error;
    }
    this.parties.setQueued(this.waiting);
    this.others?.postMessage("waiting");
  }

  /** Apply the answer to a scan: `people` were let in, and `gone` people went out (or came back, if negative). */
  async applyAnswer(
    numbers: PartyInfo | null,
    { people, gone }: { people: number; gone: number },
    { kind, scan_id: scanId }: ScanAction | WalkInAction,
  ): Promise<void> {
    const listed = numbers && this.parties.listed(numbers.reference);
    // After a repeated request its people may be in the counts already: leave it to the next sync.
    const isNew = this.requests.answered(scanId);
    if (this.kept && isNew && (people !== 0 || gone !== 0)) {
      // Until the next sync replaces the counts.
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

  /** Apply restored seats to the counts, so that they are not given away offline. */
  async applyRestored(places: number, change: string): Promise<void> {
    this.requests.answered(change);
    if (!this.kept) return;
    const held = withSeatsTaken(this.kept.counts, places);
    const counts = { ...held, to_come: held.to_come + places };
    this.kept = { ...this.kept, counts };
    this.requests.hasCounted = true;
    await this.write(async (store) => await store.keepAnswer(counts));
  }

  /** A sync is being sent: answers from now on are newer than its response. */
  beginSync(): void {
    this.touched.clear();
    this.requests.beginSync(this.waiting);
  }

  /** Whether the sync response may count people whom this phone would add once more. */
  mayCountTwice(batch: readonly QueuedAction[]): boolean {
    return this.requests.mayCountTwice(batch, this.waiting);
  }

  /** Apply the response to a sync, and drop the actions that it answers. */
  async applySync(answer: SyncResponse, batch: readonly QueuedAction[]): Promise<void> {
    const aside = batch.flatMap((one, n) => discrepanciesOf(one, answer.results[n]));
    if (this.ended === "closed" && !this.isLeaving && !answer.closed && answer.complete) {
      // The performance was postponed after the session had ended: go on.
      const { ended: _, ...device } = this.device;
      this.device = device;
    }
    // The session has ended: a late response must not bring names back.
    if (this.ended) return await this.dropQueued(batch, aside);
    const parties = answer.parties.filter(({ reference }) => !this.touched.has(reference));
    const isWhole = parties.length === answer.parties.length;
    const isComplete = answer.complete && isWhole;
    const rights = answer.rights && { rights: answer.rights };
    this.device = { ...this.device, ...this.clock.stored, ...rights };
    this.clock.until = Date.parse(answer.performance.closes_at);
    this.kept = {
      performance: answer.performance,
      // Keep counts that include newer answers; the next sync replaces them.
      counts: (this.requests.hasCounted && this.kept?.counts) || answer.counts,
      conflicts: answer.conflicts,
      // Parties that were skipped are requested again.
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

  /** Drop queued actions that the server has recorded, or will never accept. */
  async forget(batch: readonly QueuedAction[], reason?: string): Promise<void> {
    const aside = reason === undefined ? [] : batch.map((one) => discrepancyOf(one, reason, 0));
    await this.dropQueued(batch, aside);
  }

  /** Request the whole list with the next sync. */
  requestWholeList(): void {
    if (this.kept) this.kept = { ...this.kept, cursor: null };
  }

  async dismiss(scanIds: readonly string[]): Promise<void> {
    this.dismissed = [...this.dismissed, ...scanIds];
    this.aside = this.aside.filter((one) => !scanIds.includes(one.scanId));
    await this.write(async (store) => await store.dismiss(scanIds, [...this.dismissed]));
  }

  /** End the session: delete the list now, and the rest when the queue is empty. */
  async end(why: EndReason): Promise<void> {
    this.device = { ...this.device, ended: why };
    this.kept = undefined;
    this.parties.clear();
    await this.write(async (store) => await store.wipeList(this.device));
    if (this.waiting.length === 0) await this.wipe();
  }

  /** End the session by hand: delete the list now, and the rest when the server has been told. */
  async leave(): Promise<void> {
    this.device = { ...this.device, ended: "closed", isLeaving: true };
    this.kept = undefined;
    this.parties.clear();
    await this.write(async (store) => await store.wipeList(this.device));
  }

  /** Delete all data, queued actions included. */
  async wipe(): Promise<void> {
    const store = this.store;
    this.close();
    await store?.wipe();
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
    // The data was wiped, or belongs to another device now.
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

  /** Write to IndexedDB. If that fails, the state stays in memory, and the board warns. */
  private async write(work: (store: Store) => Promise<void>): Promise<void> {
    if (!this.store) return;
    try {
      await work(this.store);
    } catch {
      this.cannotStore = true;
    }
  }
}

/** The changing facts of a party in an answer; servers before 0.4 send only the numbers. */
function numbersOf(info: PartyInfo): Omit<PartyInfo, "reference" | "name"> {
  const { state, seats, admitted, released, note, has_note, late_at, ended, reduced } = info;
  const { outside = 0, wheelchair_places = 0 } = info;
  const noted = note !== undefined && has_note !== undefined ? { note, has_note } : {};
  const late = late_at !== undefined ? { late_at } : {};
  const changed = ended !== undefined && reduced !== undefined ? { ended, reduced } : {};
  return { state, seats, admitted, released, outside, wheelchair_places, ...noted, ...late, ...changed };
}
