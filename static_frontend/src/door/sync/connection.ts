/** The connection of a session with the server: single requests, the sync of list and queue, and refusals. */

import type { DoorState } from "./door-state.ts";
import type { Action, ReleaseResult } from "./protocol.ts";
import { Refused, Unreachable, type Server } from "./server.ts";
import type { EndReason, QueuedAction } from "./store.ts";
import { Sync } from "./sync.ts";

export class Connection {
  readonly sync: Sync;
  /** The server requires another protocol version than this page has. */
  isOutdated = false;
  private readonly state: DoorState;
  private readonly server: Server;
  private readonly changed: () => void;
  private isStopped = false;

  /** `changed` is called after every visible change. */
  constructor(state: DoorState, server: Server, changed: () => void) {
    this.state = state;
    this.server = server;
    this.changed = changed;
    this.sync = new Sync({
      waiting: () => this.state.waiting,
      send: async (batch) => await this.exchange(batch),
      putAside: async (one, reason) => await this.putAside(one, reason),
      refused: async (why, batch) => await this.refused(why, batch),
      changed,
      now: () => this.state.clock.now(),
    });
  }

  stop(): void {
    this.isStopped = true;
    this.sync.stop();
  }

  /** Ask the server; undefined if the phone must decide by itself. */
  async ask<Answer>(
    { scan_id: scanId }: Action,
    question: () => Promise<Answer>,
  ): Promise<Answer | undefined> {
    const { cannotStore, performance, waiting } = this.state;
    const mayDecide = !cannotStore && performance !== undefined;
    // Nothing overtakes queued actions, and nobody waits for a server that is known to be unreachable.
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

  /** Await an answer; note an unreachable server, so that the next request does not wait for it. */
  async noteIfUnreachable<Answer>(answer: Promise<Answer>): Promise<Answer> {
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

  /** Change seats on the server after all queued actions have been sent. */
  async afterFlush(places: () => Promise<ReleaseResult>): Promise<ReleaseResult> {
    await this.sync.flush();
    const moved = await this.noteIfUnreachable(places());
    this.sync.now();
    return moved;
  }

  /** End the session. */
  async end(why: EndReason): Promise<void> {
    if (why === "unknown" || this.state.waiting.length === 0) this.sync.stop();
    await this.state.end(why);
    this.changed();
  }

  private async exchange(batch: readonly QueuedAction[]): Promise<void> {
    this.state.beginSync();
    const asked = performance.now();
    const actions = batch.map((one) => one.action);
    const isDone = this.state.isLeaving && batch.length === this.state.waiting.length;
    const answer = await this.server.sync(this.state.cursor, actions, isDone);
    const arrived = performance.now();
    // The counts may include people of requests that are still unanswered.
    await this.state.requests.settled();
    // The phone may have become another device meanwhile.
    if (this.isStopped) return;
    this.state.clock.correct(answer.server_time, asked, arrived);
    // The queue is not empty, so another sync follows at once.
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
      // The server has recorded these actions without counting them. The rest is still sent.
      await this.state.forget(batch);
      await this.end("revoked");
    } else if (why.kind === "door-closed") await this.end("closed");
    else if (why.status === 401 || why.status === 403) await this.end("unknown");
    else if (why.kind === "reload-needed") this.isOutdated = true;
    else this.state.requestWholeList();
    this.changed();
  }
}
