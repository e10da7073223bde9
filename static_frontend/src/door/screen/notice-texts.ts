/** Texts of the notices on the board: conflicts between doors, and what the server counted differently. */

import { nameWithReference } from "./hidden-names.ts";
import type { Conflict, FirstAdmission } from "../sync/protocol.ts";
import type { Discrepancy } from "../sync/store.ts";
import type { Texts } from "./texts.ts";

/** "Ada Rossi came in twice: 20:41, Door A, and 20:43, Door B." */
export function conflictText(conflict: Conflict, texts: Texts): { title: string; text: string } {
  const num = conflict.claimed - conflict.people;
  return { title: texts.get("conflict", { num }), text: conflictDetail(conflict, num, texts) };
}

function conflictDetail(conflict: Conflict, num: number, texts: Texts): string {
  const at = timeAndDoor(conflict, texts);
  const name = nameWithReference(conflict.name, conflict.reference) || conflict.reference;
  const { first, walk_in, attempt } = conflict;
  if (conflict.verdict === "revoked" && attempt && (name || walk_in)) {
    const who = name || texts.get("walk_in");
    return texts.get("conflict.revoked", { name: who, at: timeAndDoor(attempt, texts) });
  }
  if (walk_in && conflict.way === "again") return texts.get("conflict.walk_in_again", { num, at });
  if (walk_in) return texts.get("conflict.walk_in", { num, at });
  if (!name) return texts.get("conflict.unknown", { at });
  if (conflict.way === "again") {
    return first
      ? texts.get("conflict.again", { name, first: timeAndDoor(first, texts), at })
      : texts.get("conflict.not_out", { name, at });
  }
  return first
    ? texts.get("conflict.twice", { name, first: timeAndDoor(first, texts), at })
    : texts.get("conflict.none", { name, at });
}

export function discrepancyText(
  aside: Discrepancy,
  name: string | undefined,
  texts: Texts,
): { title: string; text: string } {
  const facts = {
    name: nameWithReference(name ?? "", aside.reference) || aside.reference || texts.get("walk_in"),
    at: texts.clock(aside.at),
    people: aside.people,
    counted: aside.counted,
    reason: texts.has(`aside.${aside.reason}`)
      ? texts.get(`aside.${aside.reason}`)
      : aside.reason,
  };
  return { title: texts.get("aside"), text: texts.get(aside.isOut ? "aside.out" : "aside.detail", facts) };
}

function timeAndDoor(seen: FirstAdmission, texts: Texts): string {
  const door = seen.door || seen.by;
  return door
    ? texts.get("conflict.at", { at: texts.clock(seen.at), door })
    : texts.clock(seen.at);
}
