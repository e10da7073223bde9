/** Results that this phone decides without the server, from its list and counts. */

import type { DoorState } from "../sync/door-state.ts";
import type { ScanAction, WalkInAction } from "../sync/protocol.ts";
import { unlistedKey } from "./party-list.ts";
import { WAYS, type ScanResult } from "./scan-result.ts";
import { decide, decideUnlisted, type Kind, type Unlisted } from "./verdicts.ts";

/** A result, and the reference of the party on the list that it is about. */
export interface OfflineResult {
  readonly result: ScanResult;
  readonly reference: string | null;
}

/** The result of a scan. The kind "not_listed" leaves it to the user. */
export async function decideScan(action: ScanAction, state: DoorState): Promise<OfflineResult> {
  const named = await state.parties.identify(action.code);
  const { id, cancelled } = state.performance!;
  if (typeof named === "string" && named !== "nobody") {
    return { result: await resultForUnlisted(action, named, cancelled, state), reference: null };
  }
  const party = named === "nobody" ? undefined : named.party;
  const reference = party?.reference ?? null;
  const firstHere = party && state.parties.firstAdmittedAt(party.reference);
  // Tickets are sent on confirmation: a pending party with a ticket has confirmed since the last sync.
  const isShown = named !== "nobody" && (named.byTicket || firstHere !== undefined);
  const hasConfirmed = isShown && party?.state === "pending";
  const known = party && hasConfirmed ? { ...party, state: "confirmed" } : party;
  const decision = decide(known, id, cancelled, action, Math.max(0, state.free), state.reentry);
  if (party && hasConfirmed && decision.kind === "admitted") {
    return { result: { kind: "not_listed", people: 0, action, offline: true, party }, reference };
  }
  return { result: { ...decision, action, offline: true, ...(firstHere && { firstHere }) }, reference };
}

/** A code that is not on the list: decide by its signature, or leave it to the user; a code that the user let
 * in before is "already in".
 */
async function resultForUnlisted(
  action: ScanAction,
  ticket: Unlisted,
  isCancelled: boolean,
  state: DoorState,
): Promise<ScanResult> {
  const listed = decideUnlisted(ticket, isCancelled);
  // An unknown party is not known to be in, so it cannot go out.
  const kind = listed === "not_listed" && action.way === "out" ? "none_in" : listed;
  const result: ScanResult = { kind, people: 0, action, offline: true, ticket };
  if (kind !== "not_listed") return result;
  const firstHere = state.letInUnlisted(await unlistedKey(action.code));
  return firstHere ? { ...result, kind: "already_in", firstHere } : result;
}

/** The result of letting walk-ins in, or people without a ticket out and in again. */
export function decideWalkIn(action: WalkInAction, state: DoorState): ScanResult {
  const kind = walkInKind(action, state);
  const people = kind in WAYS ? action.people : 0;
  return { kind, people, action, offline: true };
}

/** The offline verdict on people without a ticket, by the counts. */
function walkInKind({ people, way }: WalkInAction, state: DoorState): Kind {
  const { free, reentry, inBuilding = 0, outsideWithoutTicket: outside } = state;
  const { id, cancelled } = state.performance!;
  if (way === "out" || way === "again") {
    // As on the server: everybody in the building as one party.
    const everybody = inBuilding + outside;
    const party = { performance_id: id, state: "confirmed", released: 0, outside };
    const all = { ...party, seats: everybody, admitted: everybody };
    return decide(all, id, cancelled, { people, way }, 0, reentry).kind;
  }
  if (cancelled) return "performance_cancelled";
  return people > free ? "full" : "admitted";
}
