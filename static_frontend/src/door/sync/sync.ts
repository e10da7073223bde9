/** The sync loop: when to sync, in which batches, and what to do with actions that are refused. */

import type { Action } from "./protocol.ts";
import { Unreachable, TimedOut, Refused } from "./server.ts";
import type { QueuedAction } from "./store.ts";

export const EVERY = 1_500; // milliseconds, while the page is visible
const LONGEST_PAUSE = 30_000;
const MAX_ACTIONS = 100;
const MAX_BYTES = 40_000;
const LOCK = "azionelab-door-sync";
/** Milliseconds to wait for the sync of another tab, when the queue must be sent first. */
const TURN_COMES = 5_000;

/** What the loop needs from the connection. */
export interface Syncing {
  waiting(): readonly QueuedAction[];
  /** Send a batch and apply the response. Throws Unreachable and Refused. */
  send(batch: readonly QueuedAction[]): Promise<void>;
  /** Take an action that the server refuses out of the queue. */
  putAside(one: QueuedAction, reason: string): Promise<void>;
  refused(why: Refused, batch: readonly QueuedAction[]): Promise<void>;
  /** The server became reachable or unreachable. */
  changed(): void;
  now(): Date;
}

export class Sync {
  /** Since when the server has been unreachable. */
  awaySince: Date | undefined;
  /** The server has answered since the page was opened. */
  hasAnswered = false;
  private readonly connection: Syncing;
  private readonly isSeen: () => boolean;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private inHand: Promise<void> | undefined;
  private wanted = false;
  private failures = 0;
  /** This tab, and not another one of this phone, made the last sync. */
  private isTurn = true;
  /** Actions per batch: 1 after a refused batch, to find the culprit; half after a timeout. */
  private limit = MAX_ACTIONS;

  constructor(connection: Syncing, isSeen: () => boolean = () => !document.hidden) {
    this.connection = connection;
    this.isSeen = isSeen;
  }

  get isAway(): boolean {
    return this.awaySince !== undefined;
  }

  start(): void {
    this.running = true;
    this.now();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** Sync now: there is something to send, or reason to expect an answer. */
  now(): void {
    if (!this.running) return;
    if (this.inHand) this.wanted = true;
    else void this.round();
  }

  /** Send the whole queue before something that must not overtake it. Throws Unreachable if that fails. */
  async flush(): Promise<void> {
    if (this.hasNews && this.running) await (this.inHand ?? this.round());
    // Another tab, or a page that was just closed, was syncing: wait for its turn to end.
    if (this.hasNews && this.running && !this.isTurn) await (this.inHand ?? this.round(inTurn));
    if (this.hasNews) throw new Unreachable("something waits");
  }

  /** Another request got no answer: work offline until a sync succeeds. */
  lost(): void {
    if (this.awaySince) return;
    this.awaySince = this.connection.now();
    this.connection.changed();
  }

  private get hasNews(): boolean {
    return this.connection.waiting().length > 0;
  }

  private async round(when: typeof alone = alone): Promise<void> {
    clearTimeout(this.timer);
    this.wanted = false;
    // If another tab syncs, this one learns nothing of the network, and tries again soon.
    this.isTurn = false;
    this.inHand = when(async () => {
      this.isTurn = true;
      await this.exchange();
    });
    try {
      await this.inHand;
    } finally {
      this.inHand = undefined;
      // Always plan the next sync, also after an unexpected error.
      this.plan();
    }
  }

  private plan(): void {
    if (!this.running) return;
    if (this.wanted) this.now();
    else if (this.isSeen() || this.hasNews) {
      this.timer = setTimeout(() => this.now(), this.pause);
    }
  }

  /** Sync until the queue is empty, at least once. */
  private async exchange(): Promise<void> {
    do {
      const batch = this.batch();
      try {
        await this.connection.send(batch);
        this.failures = 0;
        this.hasAnswered = true;
        this.limit = Math.min(MAX_ACTIONS, this.limit * 2);
        if (this.awaySince) {
          this.awaySince = undefined;
          this.connection.changed();
        }
      } catch (error) {
        if (error instanceof Refused && isOfContent(error) && batch.length > 0) {
          if (batch.length > 1) this.limit = 1;
          else await this.connection.putAside(batch[0]!, error.message);
          continue;
        }
        if (error instanceof Refused && isOfDevice(error) && batch.length > 0) {
          await this.connection.refused(error, batch);
          continue;
        }
        this.failures += 1;
        // The same batch would time out again.
        if (error instanceof TimedOut && batch.length > 1) this.limit = Math.floor(batch.length / 2);
        if (error instanceof Refused) await this.connection.refused(error, []);
        else if (error instanceof Unreachable) this.lost();
        else throw error;
        return;
      }
    } while (this.running && this.hasNews);
  }

  private batch(): QueuedAction[] {
    const batch: QueuedAction[] = [];
    let bytes = 0;
    for (const one of this.connection.waiting().slice(0, this.limit)) {
      bytes += sizeOf(one.action);
      if (batch.length > 0 && bytes > MAX_BYTES) break;
      batch.push(one);
    }
    return batch;
  }

  private get pause(): number {
    if (!this.isTurn) return EVERY;
    return Math.min(EVERY * 2 ** this.failures, LONGEST_PAUSE);
  }
}

/** The server refuses the content, not the device. */
function isOfContent(refused: Refused): boolean {
  return [400, 413, 422].includes(refused.status);
}

/** A revoked device still sends its whole queue. */
function isOfDevice(refused: Refused): boolean {
  return refused.kind === "device-revoked";
}

function sizeOf(action: Action): number {
  return new TextEncoder().encode(JSON.stringify(action)).length;
}

/** Run `work` unless another tab holds the lock: two tabs would send the same queue. */
async function alone(work: () => Promise<void>): Promise<void> {
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return await work();
  await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
  });
}

/** As `alone`, but wait for the other tab for up to TURN_COMES. */
async function inTurn(work: () => Promise<void>): Promise<void> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), TURN_COMES);
  try {
    await navigator.locks.request(LOCK, { signal: late.signal }, async () => {
      clearTimeout(timer);
      await work();
    });
  } catch (error) {
    if (!late.signal.aborted) throw error;
  }
}
