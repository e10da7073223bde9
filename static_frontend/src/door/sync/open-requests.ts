/** Tracks requests without an answer, so that nobody is counted twice.
 *
 * The response to a sync counts everybody whom the server had let in by then. A scan that was sent meanwhile may or
 * may not be included; and a scan without an answer is queued, and added to the server's counts.
 */

import type { QueuedAction } from "./store.ts";

export class OpenRequests {
  /** How often an unanswered scan was sent. */
  private readonly unanswered = new Map<string, number>();
  /** Running operations by scan id. */
  private readonly underWay = new Map<string, Promise<unknown>>();
  /** Scans that were queued when the sync was sent. */
  private waitedThen = new Set<string>();
  /** An answer since the sync was sent has changed the counts. */
  hasCounted = false;

  /** Run an operation that sends a scan, and track it until it is answered or queued. */
  async track<Done>(scanId: string, work: () => Promise<Done>): Promise<Done> {
    const doing = work();
    const done = doing.catch(() => undefined);
    this.underWay.set(scanId, done);
    try {
      return await doing;
    } finally {
      this.underWay.delete(scanId);
    }
  }

  /** The scan is being sent: the server may record it even if the answer is lost. */
  sent(scanId: string): void {
    this.unanswered.set(scanId, (this.unanswered.get(scanId) ?? 0) + 1);
  }

  /** The scan was answered. Returns whether it was sent once: otherwise an earlier request may have been counted. */
  answered(scanId: string): boolean {
    const isFirst = this.unanswered.get(scanId) === 1;
    this.unanswered.delete(scanId);
    return isFirst;
  }

  /** A sync is being sent. */
  beginSync(waiting: readonly QueuedAction[]): void {
    this.waitedThen = new Set(waiting.map((one) => one.action.scan_id));
    this.hasCounted = false;
  }

  /** Wait until all sent scans are answered or queued. */
  async settled(): Promise<void> {
    const asked = [...this.underWay].filter(([scanId]) => this.unanswered.has(scanId));
    await Promise.all(asked.map(([_, doing]) => doing));
  }

  /** Whether the sync response may count people whom this phone would add once more.
   *
   * Then the queue is not empty, and the next sync sends it, so that the server counts each scan once.
   */
  mayCountTwice(batch: readonly QueuedAction[], waiting: readonly QueuedAction[]): boolean {
    const ids = waiting.map((one) => one.action.scan_id);
    const isUnsure = ids.some((id) => this.unanswered.has(id) && !this.waitedThen.has(id));
    return isUnsure || (this.hasCounted && batch.length > 0);
  }
}
