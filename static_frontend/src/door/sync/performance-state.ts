/** The performance as this phone knows it: facts, counts, conflicts; queued actions are included. */

import { PartyList, withSeatsTaken } from "../rules/party-list.ts";
import { Clock } from "./clock.ts";
import type { Conflict, Counts, Performance } from "./protocol.ts";
import type { Device, QueuedAction, StoredPerformance as Kept } from "./store.ts";

export class PerformanceState {
  readonly clock: Clock;
  readonly parties: PartyList;
  waiting: readonly QueuedAction[] = [];
  protected kept: Kept | undefined;
  protected dismissed: readonly string[] = [];

  constructor(device: Device, evening: Kept | undefined) {
    this.clock = clockOf(device, evening);
    this.parties = new PartyList(device.performanceId);
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

  /** Conflicts that were not dismissed here. */
  get conflicts(): readonly Conflict[] {
    return (this.kept?.conflicts ?? []).filter(({ scan_id }) => !this.dismissed.includes(scan_id));
  }

  get counts(): Counts | undefined {
    const counts = this.kept?.counts;
    return counts && withSeatsTaken(this.parties.adjustCounts(counts), this.walkInsSince);
  }

  /** People in the building, queued actions included. */
  get inBuilding(): number | undefined {
    const { counts, kept } = this;
    if (!counts || !kept) return undefined;
    // Servers before 0.4 send only the counts and the conflicts.
    const beyond = () => kept.conflicts.reduce((sum, one) => sum + one.claimed - one.people, 0);
    return counts.in_building ?? counts.inside + beyond();
  }

  /** When that number was last certain, by the server. */
  get knownAt(): string | undefined {
    return this.kept && (this.kept.counts.known_at ?? this.kept.listedAt);
  }

  /** Free seats, queued actions included. */
  get free(): number {
    return this.counts?.free ?? 0;
  }

  /** The seats that a release would free, and those of late parties. */
  get noShows(): ReturnType<PartyList["noShows"]> {
    const inside = new Map<string, number>();
    for (const { verdict, reference, claimed, way } of this.kept?.conflicts ?? []) {
      // People who came back were admitted before.
      if (verdict === "revoked" && reference && way !== "again") inside.set(reference, (inside.get(reference) ?? 0) + claimed);
    }
    const { late_hold_until: held } = this.performance ?? {};
    // A server before 0.4 keeps the seats of late parties at all times.
    const until = held === undefined ? Infinity : Date.parse(held);
    return this.parties.noShows(inside, { until, now: this.clock.now().getTime() });
  }

  /** Whether re-entry is allowed; undefined for a server before 0.4. */
  get reentry(): boolean | undefined {
    return this.performance?.reentry;
  }

  /** People without a ticket who are out for the interval. */
  get outsideWithoutTicket(): number {
    return Math.max(0, (this.counts?.outside ?? 0) - this.parties.outside);
  }

  /** The context of cards. */
  get cardContext(): { listedAt: Date | undefined; free: number; performance: Performance | undefined; now: Date } {
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

  /** Whether the performance is over, even if somebody has set the phone's clock. */
  get isOver(): boolean {
    const { performance } = this;
    return performance !== undefined && this.clock.isSurelyPast(performance.closes_at);
  }

  /** Whether it is over if the phone's clock is right; offline only the user can tell. */
  get mayBeOver(): boolean {
    const { performance } = this;
    return performance !== undefined && this.clock.mayBePast(performance.closes_at);
  }

  /** Queued walk-ins, without those undone. */
  private get walkInsSince(): number {
    const walkIns = this.waiting.filter((one) => one.action.kind === "walk_in");
    const scans = new Set(walkIns.map((one) => one.action.scan_id));
    return this.waiting
      .filter((one) => scans.has(one.action.scan_id))
      .reduce((sum, one) => sum + one.people, 0);
  }
}

export function endOf(evening: Kept | undefined): number {
  return evening ? Date.parse(evening.performance.closes_at) : Infinity;
}

/** A clock from the stored time. Apps before 0.4 stored only the time of the last sync. */
function clockOf(device: Device, evening: Kept | undefined): Clock {
  const known = device.known ?? (evening && Date.parse(evening.listedAt));
  return new Clock({ ...device, ...(known !== undefined && { known }) }, endOf(evening));
}
