/** What the server was asked to do, while this phone does not know whether it did, so that nobody counts twice.
 *
 * The answer to a sync counts everybody whom the server had let in when it was written. Of a scan that is asked
 * for meanwhile nobody knows whether it was among them; and a scan whose own answer does not come waits to be
 * sent, and is added to whatever the server counts.
 */

import type { QueuedAction } from "./store.ts";

export class OpenRequests {
  /** How often the server was asked for a scan that it did not answer. */
  private readonly unanswered = new Map<string, number>();
  /** What is done just now, by its scan. */
  private readonly underWay = new Map<string, Promise<unknown>>();
  /** Scans that waited when the sync was asked for. */
  private waitedThen = new Set<string>();
  /** People came in or out by an answer since the sync was asked for. */
  hasCounted = false;

  /** Do something that the server may be asked for, and remember it until it is known or written down. */
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

  /** The server is asked for it now, and may do it whether or not its answer comes. */
  sent(scanId: string): void {
    this.unanswered.set(scanId, (this.unanswered.get(scanId) ?? 0) + 1);
  }

  /** It has answered. Whether it was asked once: else it may have been counted since the first time. */
  answered(scanId: string): boolean {
    const isFirst = this.unanswered.get(scanId) === 1;
    this.unanswered.delete(scanId);
    return isFirst;
  }

  /** A sync is asked for, with some of what waits. */
  beginSync(waiting: readonly QueuedAction[]): void {
    this.waitedThen = new Set(waiting.map((one) => one.action.scan_id));
    this.hasCounted = false;
  }

  /** Wait until it is known what became of all that the server was asked for, or until it waits. */
  async settled(): Promise<void> {
    const asked = [...this.underWay].filter(([scanId]) => this.unanswered.has(scanId));
    await Promise.all(asked.map(([_, doing]) => doing));
  }

  /** Whether the answer to the sync may count people whom this phone would add once more.
   *
   * If so something waits. Asked again with that, the server counts each once.
   */
  mayCountTwice(batch: readonly QueuedAction[], waiting: readonly QueuedAction[]): boolean {
    const ids = waiting.map((one) => one.action.scan_id);
    const isUnsure = ids.some((id) => this.unanswered.has(id) && !this.waitedThen.has(id));
    return isUnsure || (this.hasCounted && batch.length > 0);
  }
}
