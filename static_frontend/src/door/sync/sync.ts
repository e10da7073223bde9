/** When to ask the server, and what to send along: the pace, the batches and what cannot be sent. */

import { Unreachable, TimedOut, Refused, type Action } from "./server.ts";
import type { QueuedAction } from "./store.ts";

export const EVERY = 1_500; // milliseconds, while the page is seen
const LONGEST_PAUSE = 30_000;
const MAX_ACTIONS = 100;
const MAX_BYTES = 40_000;
const LOCK = "azionelab-door-sync";
/** Milliseconds to wait for another window's turn to end, when something must be sent first. */
const TURN_COMES = 5_000;

/** Whose evening it is: what waits, and what is to be done with answers. */
export interface Syncing {
  waiting(): readonly QueuedAction[];
  /** Send these and keep the answer. Throws Away and Refused. */
  send(batch: readonly QueuedAction[]): Promise<void>;
  /** The server will not take this one, whatever comes with it. */
  putAside(one: QueuedAction, reason: string): Promise<void>;
  refused(why: Refused, batch: readonly QueuedAction[]): Promise<void>;
  /** Whether the server answers has changed. */
  changed(): void;
  now(): Date;
}

export class Sync {
  /** When the server was found not to answer, while it does not. */
  awaySince: Date | undefined;
  /** It has answered since the page was opened. */
  hasAnswered = false;
  private readonly session: Syncing;
  private readonly isSeen: () => boolean;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private inHand: Promise<void> | undefined;
  private wanted = false;
  private failures = 0;
  /** Of the windows of this phone this one was the last time allowed to ask. */
  private isTurn = true;
  /** Actions in a batch; one by one when one of them cannot be taken, and fewer when all took too long. */
  private limit = MAX_ACTIONS;

  constructor(session: Syncing, isSeen: () => boolean = () => !document.hidden) {
    this.session = session;
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

  /** Ask at once: there is something to send, or reason to hope for an answer. */
  now(): void {
    if (!this.running) return;
    if (this.inHand) this.wanted = true;
    else void this.round();
  }

  /** Send all that waits, for something must not overtake it. Throws Away when it does not arrive. */
  async flush(): Promise<void> {
    if (this.hasNews && this.running) await (this.inHand ?? this.round());
    // Another window was asking, or a page that has just been left.
    if (this.hasNews && this.running && !this.isTurn) await (this.inHand ?? this.round(inTurn));
    if (this.hasNews) throw new Unreachable("something waits");
  }

  /** Another request got no answer: nobody waits for one until a sync gets through. */
  lost(): void {
    if (this.awaySince) return;
    this.awaySince = this.session.now();
    this.session.changed();
  }

  private get hasNews(): boolean {
    return this.session.waiting().length > 0;
  }

  private async round(when: typeof alone = alone): Promise<void> {
    clearTimeout(this.timer);
    this.wanted = false;
    // Another window's turn says nothing of the network: this one's comes soon.
    this.isTurn = false;
    this.inHand = when(async () => {
      this.isTurn = true;
      await this.exchange();
    });
    try {
      await this.inHand;
    } finally {
      this.inHand = undefined;
      // Whatever went wrong: a door that never asks again would not know that it is alone.
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

  /** Send until nothing waits; an answer comes also to nothing. */
  private async exchange(): Promise<void> {
    do {
      const batch = this.batch();
      try {
        await this.session.send(batch);
        this.failures = 0;
        this.hasAnswered = true;
        this.limit = Math.min(MAX_ACTIONS, this.limit * 2);
        if (this.awaySince) {
          this.awaySince = undefined;
          this.session.changed();
        }
      } catch (error) {
        if (error instanceof Refused && isOfContent(error) && batch.length > 0) {
          if (batch.length > 1) this.limit = 1;
          else await this.session.putAside(batch[0]!, error.message);
          continue;
        }
        if (error instanceof Refused && isOfDevice(error) && batch.length > 0) {
          await this.session.refused(error, batch);
          continue;
        }
        this.failures += 1;
        // The same batch again would take as long again, and what waits would never be sent.
        if (error instanceof TimedOut && batch.length > 1) this.limit = Math.floor(batch.length / 2);
        if (error instanceof Refused) await this.session.refused(error, []);
        else if (error instanceof Unreachable) this.lost();
        else throw error;
        return;
      }
    } while (this.running && this.hasNews);
  }

  private batch(): QueuedAction[] {
    const batch: QueuedAction[] = [];
    let bytes = 0;
    for (const one of this.session.waiting().slice(0, this.limit)) {
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

/** An answer to what was sent, and not to who sent it. */
function isOfContent(refused: Refused): boolean {
  return [400, 413, 422].includes(refused.status);
}

/** A revoked device is heard to the end of what it has to tell. */
function isOfDevice(refused: Refused): boolean {
  return refused.kind === "device-revoked";
}

function sizeOf(action: Action): number {
  return new TextEncoder().encode(JSON.stringify(action)).length;
}

/** One window of the phone at a time, or not at all: two would send the same queue. */
async function alone(work: () => Promise<void>): Promise<void> {
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return await work();
  await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
  });
}

/** As `alone`, but when the other window is through, should that be soon. */
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
