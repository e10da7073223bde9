/** When to ask the server, and what to send along: the pace, the batches and what cannot be sent. */

import { Away, Refused, type Action } from "./server.ts";
import type { Waiting } from "./store.ts";

export const EVERY = 1_500; // milliseconds, while the page is seen
const LONGEST_PAUSE = 30_000;
const MAX_ACTIONS = 100;
const MAX_BYTES = 40_000;
const LOCK = "azionelab-door-sync";

/** Whose evening it is: what waits, and what is to be done with answers. */
export interface Syncing {
  waiting(): readonly Waiting[];
  /** Send these and keep the answer. Throws Away and Refused. */
  send(batch: readonly Waiting[]): Promise<void>;
  /** The server will not take this one, whatever comes with it. */
  putAside(one: Waiting, reason: string): Promise<void>;
  refused(why: Refused, batch: readonly Waiting[]): Promise<void>;
  /** Whether the server answers has changed. */
  changed(): void;
  now(): Date;
}

export class Sync {
  /** When the server was found not to answer, while it does not. */
  awaySince: Date | undefined;
  /** It has answered since the page was opened. */
  hasAnswered = false;
  private readonly evening: Syncing;
  private readonly isSeen: () => boolean;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running = false;
  private inHand: Promise<void> | undefined;
  private wanted = false;
  private failures = 0;
  /** Of the windows of this phone this one was the last time allowed to ask. */
  private isTurn = true;
  /** Actions in a batch; one by one when one of them cannot be taken. */
  private limit = MAX_ACTIONS;

  constructor(evening: Syncing, isSeen: () => boolean = () => !document.hidden) {
    this.evening = evening;
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
    if (this.evening.waiting().length > 0 && this.running) await (this.inHand ?? this.round());
    if (this.evening.waiting().length > 0) throw new Away("something waits");
  }

  /** Another request got no answer: nobody waits for one until a sync gets through. */
  lost(): void {
    if (this.awaySince) return;
    this.awaySince = this.evening.now();
    this.evening.changed();
  }

  private async round(): Promise<void> {
    clearTimeout(this.timer);
    this.wanted = false;
    // Another window's turn says nothing of the network: this one's comes soon.
    this.isTurn = false;
    this.inHand = alone(async () => {
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
    else if (this.isSeen() || this.evening.waiting().length > 0) {
      this.timer = setTimeout(() => this.now(), this.pause);
    }
  }

  /** Send until nothing waits; an answer comes also to nothing. */
  private async exchange(): Promise<void> {
    do {
      const batch = this.batch();
      try {
        await this.evening.send(batch);
        this.failures = 0;
        this.hasAnswered = true;
        this.limit = Math.min(MAX_ACTIONS, this.limit * 2);
        if (this.awaySince) {
          this.awaySince = undefined;
          this.evening.changed();
        }
      } catch (error) {
        if (error instanceof Refused && isOfContent(error) && batch.length > 0) {
          if (batch.length > 1) this.limit = 1;
          else await this.evening.putAside(batch[0]!, error.message);
          continue;
        }
        if (error instanceof Refused && isOfDevice(error) && batch.length > 0) {
          await this.evening.refused(error, batch);
          continue;
        }
        this.failures += 1;
        if (error instanceof Refused) await this.evening.refused(error, []);
        else if (error instanceof Away) this.lost();
        else throw error;
        return;
      }
    } while (this.running && this.evening.waiting().length > 0);
  }

  private batch(): Waiting[] {
    const batch: Waiting[] = [];
    let bytes = 0;
    for (const one of this.evening.waiting().slice(0, this.limit)) {
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

/** One tab of the phone at a time: two would send the same queue. */
async function alone(work: () => Promise<void>): Promise<void> {
  const locks = navigator.locks as LockManager | undefined;
  if (!locks) return await work();
  await locks.request(LOCK, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
  });
}
