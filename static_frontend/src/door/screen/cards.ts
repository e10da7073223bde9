/** Makes cards from results: texts, tone, buttons. */

import { changeTexts, endText, type TextContext } from "./booking-changes.ts";
import { hidesNames, shownName, nameWithReference } from "./hidden-names.ts";
import type { ScanResult } from "../rules/scan-result.ts";
import type { NoAnswer } from "../sync/session.ts";
import type { KnownParty } from "../rules/party-list.ts";
import type { FirstAdmission } from "../sync/protocol.ts";
import { Refused } from "../sync/server.ts";
import { insideOf, toCome } from "../rules/verdicts.ts";
import type { TextValues, Texts } from "./texts.ts";

/** A button for each number of people up to `upTo`, to do `act` with. */
export interface PeopleButtons {
  readonly act: "let-in" | "late" | "only" | "unlisted" | "let-out" | "in-again";
  readonly label: string;
  readonly upTo: number;
}

export interface Card {
  readonly kind: string;
  readonly tone: string;
  readonly headline: string;
  readonly details: readonly string[];
  readonly party?: {
    readonly name: string;
    readonly facts: readonly string[];
    /** Notes on the party, one per line. */
    readonly notes: readonly string[];
    /** The name and notes that appear when the initials are pressed. */
    readonly hidden?: { readonly label: string; readonly name: string; readonly notes: readonly string[] };
  };
  readonly peopleButtons: readonly PeopleButtons[];
  readonly buttons: readonly { readonly act: string; readonly label: string }[];
}

/** The context of a card. */
export interface CardContext extends TextContext {
  readonly listedAt: Date | undefined;
  readonly free: number;
}

/** The most people that can be let in by an unlisted ticket. */
const MAX_UNLISTED = 6;

export function cardOf(result: ScanResult, texts: Texts, context: CardContext): Card {
  const { kind, party } = result;
  const left = party ? toCome(party) : 0;
  return {
    kind,
    tone: texts.tone(kind),
    headline: headlineOf(result, texts, context),
    details: detailsOf(result, left, texts, context),
    ...(party && { party: partyOf(party, texts, context) }),
    peopleButtons: peopleButtonsOf(result, texts, context),
    buttons: buttonsOf(result, texts),
  };
}

function headlineOf(result: ScanResult, texts: Texts, { listedAt }: CardContext): string {
  const at = listedAt ? texts.clock(listedAt) : "";
  return texts.get(unlistedCase(result) ?? result.kind, { num: result.people, at });
}

/** The text case of an unlisted ticket of which something is known. */
function unlistedCase({ kind, party, ticket }: ScanResult): string | undefined {
  if (kind !== "not_listed") return undefined;
  if (party) return "not_listed.pending";
  return ticket === "genuine" ? "not_listed.genuine" : undefined;
}

/** The card after the user's decision on an unlisted ticket. */
export function settledCard(result: ScanResult, texts: Texts): Card {
  const isIn = result.people > 0;
  return {
    kind: "not_listed",
    tone: isIn ? "good" : "bad",
    headline: isIn
      ? texts.get("admitted", { num: result.people })
      : texts.get("not_listed.away"),
    details: [texts.get(isIn ? "not_listed.in" : "not_listed.away_detail")],
    peopleButtons: [],
    buttons: [
      ...(isIn ? [{ act: "undo", label: texts.get("undo") }] : []),
      { act: "next", label: texts.get("next") },
    ],
  };
}

/** The card for no answer, or an error response: nobody was let in. */
export function troubleCard(texts: Texts, trouble: NoAnswer | Refused): Card {
  const next = { act: "next", label: texts.get("next") };
  const card = { tone: texts.tone("no_answer"), peopleButtons: [] };
  if (trouble instanceof Refused) {
    const headline = texts.get("refused");
    return { ...card, kind: "refused", headline, details: [trouble.message], buttons: [next] };
  }
  return {
    ...card,
    kind: "no_answer",
    headline: texts.get("no_answer"),
    details: [texts.get(trouble.isUndo ? "no_answer.undo" : "no_answer.detail")],
    buttons: [{ act: "again", label: texts.get("again") }, next],
  };
}

export function checkingCard(texts: Texts): Card {
  const headline = texts.get("checking");
  return { kind: "checking", tone: "wait", headline, details: [], peopleButtons: [], buttons: [] };
}

/** The name of a party; its reference if the phone has no names, or the booking has ended. */
export function nameOf({ name, reference }: KnownParty): string {
  return name ? nameWithReference(name, reference) : reference;
}

/** A party as cards and search results show it. */
export function partyOf(party: KnownParty, texts: Texts, now: TextContext): NonNullable<Card["party"]> {
  const name = party.name || party.reference;
  const facts = [
    ...(party.name ? [party.reference] : []),
    texts.get("seats", { num: party.seats }),
    ...(party.wheelchair_places ? [texts.get("wheelchair", { num: party.wheelchair_places })] : []),
    texts.get("in", { num: insideOf(party) }),
    ...(party.outside ? [texts.get("out", { num: party.outside })] : []),
  ];
  const changes = changeTexts(party, texts, now);
  const notes = notesOn(party, texts);
  if (!hidesNames() || !party.name) return { name, facts, notes: [...changes, ...notes] };
  const shown = shownName(name);
  return {
    name: shown,
    facts,
    notes: [...changes, ...(notes.length > 0 ? [texts.get("note.hidden")] : [])],
    hidden: { label: texts.get("name.show", { name: shown }), name, notes: [...changes, ...notes] },
  };
}

/** A phone without names gets no notes either, only the fact that there is one. */
function notesOn(party: KnownParty, texts: Texts): string[] {
  const { note, has_note: hasNote, late_at: lateAt, admitted, seats } = party;
  const elsewhere = hasNote ? [texts.get("note.elsewhere")] : [];
  return [
    ...(lateAt && admitted < seats ? [texts.get("late", { at: texts.clock(lateAt) })] : []),
    ...(note ? [note] : elsewhere),
  ];
}

/** Buttons to let people of a party in or in again; people with released seats need `free` ones. */
export function admitButtons(party: KnownParty, texts: Texts, free: number): PeopleButtons[] {
  const back = party.outside ?? 0;
  const again = back > 0 ? [{ act: "in-again", label: texts.get("in_again.do"), upTo: back } as const] : [];
  const left = toCome(party);
  if (left > 0) return [...again, { act: "let-in", label: texts.get("let_in"), upTo: left }];
  const late = Math.min(party.released, free);
  return late > 0 ? [...again, { act: "late", label: texts.get("let_in.late"), upTo: late }] : again;
}

/** Buttons to let people of a party out. */
export function exitButtons(party: KnownParty, texts: Texts): PeopleButtons[] {
  const upTo = insideOf(party);
  return upTo > 0 ? [{ act: "let-out", label: texts.get("let_out.do"), upTo }] : [];
}

function detailsOf(result: ScanResult, left: number, texts: Texts, context: CardContext): string[] {
  const { kind, first, firstHere, evening, offline } = result;
  const at = context.listedAt ? texts.clock(context.listedAt) : "";
  const listed = offline ? [texts.get("admitted.listed", { at })] : [];
  switch (kind) {
    case "let_out":
    case "in_again":
      return [passageText(result, texts), ...listed];
    case "changed":
    case "too_many":
      return [texts.get(detailCase(result), { num: passageLeft(result, left) }), ...listed];
    case "admitted":
      if (result.action.kind === "walk_in") {
        return [texts.get("admitted.walk_in", { num: Math.max(0, context.free) }), ...listed];
      }
      return [admittedText(result, left, texts), ...listed];
    case "already_in":
      if (first) {
        const isNamed = first.door && first.door !== first.by;
        const name = isNamed ? "already_in.first_door" : "already_in.first";
        return [texts.get(name, firstAdmissionValues(first, texts))];
      }
      if (firstHere) return [texts.get("already_in.here", { at: texts.clock(firstHere) })];
      return [texts.get("already_in.listed", { at })];
    case "wrong_performance":
      if (!evening) return offline ? [texts.get("wrong_performance.signed")] : [];
      return [
        texts.get("wrong_performance.evening", {
          show: evening.show_title,
          when: texts.when(evening.starts_at),
          venue: evening.venue_name,
        }),
      ];
    case "undone":
      if (isPassage(result)) return [texts.get("undone.passage")];
      return [
        result.party?.admitted
          ? texts.get("undone.rest", { num: result.party.admitted })
          : texts.get("undone.detail"),
      ];
    case "not_listed":
      return [texts.get(unlistedDetail(result), { at })];
    case "unknown":
      if (result.ticket === "forged") return [texts.get("unknown.forged")];
      return [texts.get("unknown.detail"), ...listed];
    case "cancelled":
    case "expired":
    case "performance_cancelled":
      return [whyRefused(result, texts, context), ...listed];
    default:
      return [texts.get(`${kind}.detail`, { num: left }), ...listed];
  }
}

/** Whether the scan was to let people out or in again. */
function isPassage({ action: { way } }: ScanResult): boolean {
  return way === "out" || way === "again";
}

function detailCase(result: ScanResult): string {
  if (!isPassage(result)) return `${result.kind}.detail`;
  return result.kind === "changed" ? "changed.passage" : `too_many.${result.action.way}`;
}

/** The number in that text: people still to come, in, or out. */
function passageLeft({ kind, party, action: { way } }: ScanResult, left: number): number {
  if (way !== "out" && way !== "again") return left;
  if (!party) return 0;
  return way === "out" || kind === "changed" ? insideOf(party) : (party.outside ?? 0);
}

function passageText({ kind, party }: ScanResult, texts: Texts): string {
  const num = !party ? 0 : kind === "let_out" ? insideOf(party) : (party.outside ?? 0);
  return num > 0 ? texts.get(`${kind}.rest`, { num }) : texts.get(`${kind}.detail`);
}

function whyRefused({ kind, party }: ScanResult, texts: Texts, context: CardContext): string {
  return (party && endText(kind, party, texts, context)) ?? texts.get(`${kind}.detail`);
}

function unlistedDetail(result: ScanResult): string {
  const known = unlistedCase(result);
  if (known) return `${known}_detail`;
  return result.ticket === "older" ? "not_listed.older" : "not_listed.detail";
}

function admittedText({ party }: ScanResult, left: number, texts: Texts): string {
  if (left > 0) return texts.get("admitted.rest", { num: left });
  return party?.released
    ? texts.get("admitted.released", { num: party.released })
    : texts.get("admitted.complete");
}

function firstAdmissionValues(first: FirstAdmission, texts: Texts): TextValues {
  return { at: texts.clock(first.at), by: first.by, door: first.door };
}

function peopleButtonsOf(result: ScanResult, texts: Texts, context: CardContext): PeopleButtons[] {
  const { kind, party, people, action } = result;
  if (kind === "not_listed") {
    const upTo = party ? toCome(party) : MAX_UNLISTED;
    return [{ act: "unlisted", label: texts.get("let_in.unlisted"), upTo }];
  }
  if (kind === "let_out" || kind === "in_again") {
    const upTo = people - 1;
    return upTo > 0 ? [{ act: "only", label: texts.get(`${kind}.only`), upTo }] : [];
  }
  if (kind === "admitted") {
    const rest = party ? admitButtons(party, texts, context.free) : [];
    return people > 1 && (party || action.kind === "walk_in")
      ? [{ act: "only", label: texts.get("let_in.only"), upTo: people - 1 }, ...rest]
      : rest;
  }
  if (!party) return [];
  if (action.way === "out") return kind === "none_in" ? [] : exitButtons(party, texts);
  if (kind === "some_out") return admitButtons(party, texts, context.free);
  if (kind === "changed" || kind === "too_many" || kind === "undone") {
    return admitButtons(party, texts, context.free);
  }
  if (kind === "released") {
    const upTo = Math.min(party.released, Math.max(1, context.free));
    return [{ act: "late", label: texts.get("let_in.late"), upTo }];
  }
  return [];
}

function buttonsOf(result: ScanResult, texts: Texts): { act: string; label: string }[] {
  if (result.kind === "not_listed") return [{ act: "send-away", label: texts.get("send_away") }];
  const next = { act: "next", label: texts.get("next") };
  return result.people > 0 && result.kind !== "undone" ? [{ act: "undo", label: texts.get("undo") }, next] : [next];
}
