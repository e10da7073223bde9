/** The result of a scan or walk-in, from the server or decided offline. */

import type { FirstAdmission, PerformanceInfo, ScanAction, WalkInAction } from "../sync/protocol.ts";
import type { KnownParty } from "./party-list.ts";
import type { Kind, Unlisted, Way } from "./verdicts.ts";

export interface ScanResult {
  readonly kind: Kind | "undone";
  readonly people: number;
  readonly action: ScanAction | WalkInAction;
  readonly party?: KnownParty;
  readonly first?: FirstAdmission;
  /** Offline: when this phone first let people of the party in. */
  readonly firstHere?: string;
  readonly evening?: PerformanceInfo;
  /** Offline, for a code that is not on the list: what its signature says. */
  readonly ticket?: Unlisted;
  readonly offline: boolean;
}

/** The direction of each verdict that lets people through. */
export const WAYS: Partial<Record<Kind, Way>> = { admitted: "in", let_out: "out", in_again: "again" };
