/** Differences between this phone's queued actions and what the server counted. */

import type { Result } from "../sync/protocol.ts";
import type { Discrepancy, QueuedAction } from "../sync/store.ts";

/** The difference between a queued action and what the server counted. */
export function discrepanciesOf(one: QueuedAction, result: Result | undefined): Discrepancy[] {
  const { kind } = one.action;
  // Undone before it was counted: no difference.
  if (kind === "undo" && result?.problem === "scan-unknown") return [];
  if (result?.problem) return [discrepancyOf(one, result.problem, 0)];
  // More people let in than counted are a conflict, which all doors get from the server.
  const verdict = result?.verdict;
  const moved = peopleMoved(one);
  // Too many people counted as out are no conflict, so report them here.
  const isOtherwise = isOut(one) ? verdict?.people !== moved : (verdict?.people ?? 0) > moved;
  return verdict && kind !== "undo" && isOtherwise
    ? [discrepancyOf(one, verdict.verdict, verdict.people)]
    : [];
}

export function discrepancyOf(one: QueuedAction, reason: string, counted: number): Discrepancy {
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

/** The number of people who went through the door, in any direction. */
function peopleMoved({ people, gone = 0 }: QueuedAction): number {
  return people + Math.abs(gone);
}

function isOut({ gone = 0 }: QueuedAction): boolean {
  return gone > 0;
}
