/** The door's protocol: the actions of a phone and the server's responses (docs/door.md). */

import type { Right } from "../rules/rights.ts";
import type { ScanOptions, Kind, Way } from "../rules/verdicts.ts";

/** A decision that was made offline. */
export interface Offline {
  readonly at: string;
  readonly verdict: Kind;
  readonly people: number;
}

export interface ScanAction extends ScanOptions {
  readonly kind: "scan";
  readonly scan_id: string;
  readonly code: string;
  readonly offline?: Offline;
}

export interface WalkInAction {
  readonly kind: "walk_in";
  readonly scan_id: string;
  readonly people: number;
  readonly way?: Way;
  readonly offline?: Offline;
}

export interface UndoAction {
  readonly kind: "undo";
  readonly scan_id: string;
}

export type Action = ScanAction | WalkInAction | UndoAction;

/** A change, and the kind of actor. */
export interface Change {
  readonly at: string;
  readonly by: string | null;
}

/** A party in a response. */
export interface PartyInfo {
  readonly reference: string;
  readonly name: string;
  readonly state: string;
  readonly seats: number;
  readonly admitted: number;
  readonly released: number;
  /** Missing from servers before 0.4. */
  readonly ended?: Change | null;
  readonly reduced?: { readonly at: string; readonly by: string; readonly seats: number } | null;
  /** Estimated arrival of a late party. */
  readonly late_at?: string | null;
  /** Admitted people who went out for the interval. Missing from servers before 0.4. */
  readonly outside?: number;
  /** The staff's note. Missing from servers before 0.4. */
  readonly note?: string;
  /** How many of the seats are wheelchair places. Missing from servers before 0.4. */
  readonly wheelchair_places?: number;
  /** There is a note; also for phones that may not read it. */
  readonly has_note?: boolean;
}

export interface ListedParty extends PartyInfo {
  readonly tickets: readonly string[];
  /** Staff moved it to another performance. Missing from servers before 0.4. */
  readonly moved?: boolean;
}

export interface FirstAdmission {
  readonly at: string;
  readonly by: string;
  readonly door: string;
}

export interface PerformanceInfo {
  readonly show_title: string;
  readonly venue_name: string;
  readonly starts_at: string;
}

export interface Verdict {
  readonly scan_id: string;
  readonly verdict: Kind;
  readonly people: number;
  readonly undone: boolean;
  readonly party: PartyInfo | null;
  readonly first: FirstAdmission | null;
  readonly evening: PerformanceInfo | null;
}

export interface Performance {
  readonly id: number;
  readonly show_title: string;
  readonly venue_name: string;
  readonly starts_at: string;
  readonly closes_at: string;
  readonly release_from: string;
  /** Until when late parties keep their seats, or until their `late_at`. Missing from servers before 0.4. */
  readonly late_hold_until?: string;
  readonly cancelled: boolean;
  /** Missing from servers before 0.4. */
  readonly cancelled_at?: string | null;
  readonly released_at: string | null;
  /** Whether people may go out and come back. Missing from servers before 0.4. */
  readonly reentry?: boolean;
}

export interface Counts {
  readonly expected: number;
  readonly inside: number;
  readonly to_come: number;
  readonly free: number;
  /** Parties on the waitlist who are near, and their people. Missing from servers before 0.4. */
  readonly near_parties?: number;
  readonly near_people?: number;
  /** Seats on offer to such parties: they are not free. */
  readonly on_offer?: number;
  readonly on_offer_until?: string | null;
  /** People who went out and may come back. */
  readonly outside?: number;
  /** People in the building, conflicts included. Missing from servers before 0.4. */
  readonly in_building?: number;
  /** When that was last certain: a phone may be silent since. */
  readonly known_at?: string;
}

/** A device let in `claimed` people, of whom `people` could be counted. */
export interface Conflict {
  readonly scan_id: string;
  /** "revoked", or the server's verdict. */
  readonly verdict?: string;
  readonly reference: string | null;
  readonly name: string;
  /** Walk-ins; `reference` is that of their reservation. */
  readonly walk_in: boolean;
  /** "again": more people came back than had gone out. */
  readonly way?: string;
  readonly people: number;
  readonly claimed: number;
  readonly at: string;
  readonly by: string;
  readonly door: string;
  readonly first: FirstAdmission | null;
  /** The conflict's own scan; `at`, `by` and `door` may be the other one's. Missing from servers before 0.4. */
  readonly attempt?: FirstAdmission;
}

/** The result of an action: a verdict, or a problem that sending it again does not solve. */
export interface Result {
  readonly scan_id: string;
  readonly verdict: Verdict | null;
  readonly problem: string | null;
}

export interface SyncResponse {
  readonly server_time: string;
  /** A server of before does not tell. */
  readonly rights?: readonly Right[];
  readonly closed: boolean;
  readonly complete: boolean;
  readonly cursor: number | null;
  readonly parties: readonly ListedParty[];
  readonly performance: Performance;
  readonly counts: Counts;
  /** Devices that have been silent for a minute. Missing from older servers. */
  readonly silent?: readonly string[];
  readonly conflicts: readonly Conflict[];
  /** Public keys to verify tickets, base64url. Missing from servers before 0.4. */
  readonly ticket_keys?: readonly string[];
  readonly results: readonly Result[];
}

/** Released or restored seats; `missing` ones could not be restored. */
export interface ReleaseResult {
  readonly places: number;
  readonly missing: number;
}

export interface Enrolled {
  readonly token: string;
  readonly label: string;
  readonly performance_id: number;
  /** A server of before does not tell. */
  readonly rights?: readonly Right[];
  /** With it the phone enrols for other performances, if staff allowed that. */
  readonly pass?: string | null;
}

/** A performance that a pass is valid for. */
export interface OfferedPerformance extends PerformanceInfo {
  readonly id: number;
  readonly invitation: string;
}

/** The performance of an invitation, and the rights that come with it. */
export interface InvitationInfo extends PerformanceInfo {
  readonly rights?: readonly Right[];
}
