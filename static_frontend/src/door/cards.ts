/** What is told turned into a card: words, tone and what can be done about it. */

import { changesOf, endWords, type Now } from "./changes.ts";
import { hidesNames, shownName, shownWith } from "./discretion.ts";
import type { NoAnswer, Told } from "./evening.ts";
import type { KnownParty } from "./house.ts";
import { Refused, type Conflict, type First } from "./server.ts";
import type { Aside } from "./store.ts";
import { insideOf, toCome } from "./verdicts.ts";
import type { Facts, Words } from "./words.ts";

/** Buttons with numbers: `numbers` of people to do `act` with. */
export interface Heads {
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
    /** What is to be known of them, each on a line of its own. */
    readonly notes: readonly string[];
    /** The name and the notes, where they are seen only when somebody presses the name. */
    readonly hidden?: { readonly label: string; readonly name: string; readonly notes: readonly string[] };
  };
  readonly heads: readonly Heads[];
  readonly buttons: readonly { readonly act: string; readonly label: string }[];
}

/** What the words need to know of the evening. */
export interface Facing extends Now {
  readonly listedAt: Date | undefined;
  readonly free: number;
}

/** The most people a ticket that nobody knows can be let in with, without a second thought. */
const UNLISTED = 6;

export function cardOf(told: Told, words: Words, facing: Facing): Card {
  const { kind, party } = told;
  const left = party ? toCome(party) : 0;
  return {
    kind,
    tone: words.tone(kind),
    headline: headlineOf(told, words, facing),
    details: detailsOf(told, left, words, facing),
    ...(party && { party: partyOf(party, words, facing) }),
    heads: headsOf(told, words, facing),
    buttons: buttonsOf(told, words),
  };
}

function headlineOf(told: Told, words: Words, { listedAt }: Facing): string {
  const at = listedAt ? words.clock(listedAt) : "";
  return words.say(unlistedCase(told) ?? told.kind, { num: told.people, at });
}

/** By which words a ticket is asked about that is not on the list, if something is known of it. */
function unlistedCase({ kind, party, ticket }: Told): string | undefined {
  if (kind !== "not_listed") return undefined;
  if (party) return "not_listed.pending";
  return ticket === "genuine" ? "not_listed.genuine" : undefined;
}

/** What the person at the door made of a ticket that is not on the list. */
export function settledCard(told: Told, words: Words): Card {
  const isIn = told.people > 0;
  return {
    kind: "not_listed",
    tone: isIn ? "good" : "bad",
    headline: isIn
      ? words.say("admitted", { num: told.people })
      : words.say("not_listed.away"),
    details: [words.say(isIn ? "not_listed.in" : "not_listed.away_detail")],
    heads: [],
    buttons: [
      ...(isIn ? [{ act: "undo", label: words.say("undo") }] : []),
      { act: "next", label: words.say("next") },
    ],
  };
}

/** No answer, or one that is no verdict: nobody was let in. */
export function troubleCard(words: Words, trouble: NoAnswer | Refused): Card {
  const next = { act: "next", label: words.say("next") };
  const card = { tone: words.tone("no_answer"), heads: [] };
  if (trouble instanceof Refused) {
    const headline = words.say("refused");
    return { ...card, kind: "refused", headline, details: [trouble.message], buttons: [next] };
  }
  return {
    ...card,
    kind: "no_answer",
    headline: words.say("no_answer"),
    details: [words.say(trouble.isUndo ? "no_answer.undo" : "no_answer.detail")],
    buttons: [{ act: "again", label: words.say("again") }, next],
  };
}

export function checkingCard(words: Words): Card {
  const headline = words.say("checking");
  return { kind: "checking", tone: "wait", headline, details: [], heads: [], buttons: [] };
}

/** What a party is called: a phone that only scans is told no names, and nobody is those of a booking that ended. */
export function nameOf({ name, reference }: KnownParty): string {
  return name ? shownWith(name, reference) : reference;
}

/** A party in a list of found ones. */
export function partyOf(party: KnownParty, words: Words, now: Now): NonNullable<Card["party"]> {
  const name = party.name || party.reference;
  const facts = [
    ...(party.name ? [party.reference] : []),
    words.say("seats", { num: party.seats }),
    words.say("in", { num: insideOf(party) }),
    ...(party.outside ? [words.say("out", { num: party.outside })] : []),
  ];
  const changes = changesOf(party, words, now);
  const notes = notesOn(party, words);
  if (!hidesNames() || !party.name) return { name, facts, notes: [...changes, ...notes] };
  const shown = shownName(name);
  return {
    name: shown,
    facts,
    notes: [...changes, ...(notes.length > 0 ? [words.say("note.hidden")] : [])],
    hidden: { label: words.say("name.show", { name: shown }), name, notes: [...changes, ...notes] },
  };
}

/** A phone that is told no names is told no notes either, but that there is one. */
function notesOn(party: KnownParty, words: Words): string[] {
  const { note, has_note: hasNote, late_at: lateAt, admitted, seats } = party;
  const elsewhere = hasNote ? [words.say("note.elsewhere")] : [];
  return [
    ...(lateAt && admitted < seats ? [words.say("late", { at: words.clock(lateAt) })] : []),
    ...(note ? [note] : elsewhere),
  ];
}

/** Who can be let in of a party, or in again; of those whose places were released as many as are `free`. */
export function headsFor(party: KnownParty, words: Words, free: number): Heads[] {
  const back = party.outside ?? 0;
  const again = back > 0 ? [{ act: "in-again", label: words.say("in_again.do"), upTo: back } as const] : [];
  const left = toCome(party);
  if (left > 0) return [...again, { act: "let-in", label: words.say("let_in"), upTo: left }];
  const late = Math.min(party.released, free);
  return late > 0 ? [...again, { act: "late", label: words.say("let_in.late"), upTo: late }] : again;
}

/** Who can be let out of a party. */
export function headsOut(party: KnownParty, words: Words): Heads[] {
  const upTo = insideOf(party);
  return upTo > 0 ? [{ act: "let-out", label: words.say("let_out.do"), upTo }] : [];
}

/** "Ada Rossi came in twice: 20:41, Door A, and 20:43, Door B." */
export function conflictWords(conflict: Conflict, words: Words): { title: string; text: string } {
  const num = conflict.claimed - conflict.people;
  return { title: words.say("conflict", { num }), text: storyOf(conflict, num, words) };
}

function storyOf(conflict: Conflict, num: number, words: Words): string {
  const at = placeOf(conflict, words);
  const name = shownWith(conflict.name, conflict.reference) || conflict.reference;
  const { first, walk_in, attempt } = conflict;
  if (conflict.verdict === "revoked" && attempt && (name || walk_in)) {
    const who = name || words.say("walk_in");
    return words.say("conflict.revoked", { name: who, at: placeOf(attempt, words) });
  }
  if (walk_in && conflict.way === "again") return words.say("conflict.walk_in_again", { num, at });
  if (walk_in) return words.say("conflict.walk_in", { num, at });
  if (!name) return words.say("conflict.unknown", { at });
  if (conflict.way === "again") {
    return first
      ? words.say("conflict.again", { name, first: placeOf(first, words), at })
      : words.say("conflict.not_out", { name, at });
  }
  return first
    ? words.say("conflict.twice", { name, first: placeOf(first, words), at })
    : words.say("conflict.none", { name, at });
}

export function asideWords(
  aside: Aside,
  name: string | undefined,
  words: Words,
): { title: string; text: string } {
  const facts = {
    name: shownWith(name ?? "", aside.reference) || aside.reference || words.say("walk_in"),
    at: words.clock(aside.at),
    people: aside.people,
    counted: aside.counted,
    reason: words.knows(`aside.${aside.reason}`)
      ? words.say(`aside.${aside.reason}`)
      : aside.reason,
  };
  return { title: words.say("aside"), text: words.say(aside.isOut ? "aside.out" : "aside.detail", facts) };
}

function placeOf(seen: First, words: Words): string {
  const door = seen.door || seen.by;
  return door
    ? words.say("conflict.at", { at: words.clock(seen.at), door })
    : words.clock(seen.at);
}

function detailsOf(told: Told, left: number, words: Words, facing: Facing): string[] {
  const { kind, first, firstHere, evening, offline } = told;
  const at = facing.listedAt ? words.clock(facing.listedAt) : "";
  const listed = offline ? [words.say("admitted.listed", { at })] : [];
  switch (kind) {
    case "let_out":
    case "in_again":
      return [passageWords(told, words), ...listed];
    case "changed":
    case "too_many":
      return [words.say(detailCase(told), { num: passageLeft(told, left) }), ...listed];
    case "admitted":
      if (told.action.kind === "walk_in") {
        return [words.say("admitted.walk_in", { num: Math.max(0, facing.free) }), ...listed];
      }
      return [admittedWords(told, left, words), ...listed];
    case "already_in":
      if (first) {
        const isNamed = first.door && first.door !== first.by;
        const name = isNamed ? "already_in.first_door" : "already_in.first";
        return [words.say(name, firstFacts(first, words))];
      }
      if (firstHere) return [words.say("already_in.here", { at: words.clock(firstHere) })];
      return [words.say("already_in.listed", { at })];
    case "wrong_performance":
      if (!evening) return offline ? [words.say("wrong_performance.signed")] : [];
      return [
        words.say("wrong_performance.evening", {
          show: evening.show_title,
          when: words.when(evening.starts_at),
          venue: evening.venue_name,
        }),
      ];
    case "undone":
      if (goesByWay(told)) return [words.say("undone.passage")];
      return [
        told.party?.admitted
          ? words.say("undone.rest", { num: told.party.admitted })
          : words.say("undone.detail"),
      ];
    case "not_listed":
      return [words.say(unlistedDetail(told), { at })];
    case "unknown":
      if (told.ticket === "forged") return [words.say("unknown.forged")];
      return [words.say("unknown.detail"), ...listed];
    case "cancelled":
    case "expired":
    case "performance_cancelled":
      return [whyRefused(told, words, facing), ...listed];
    default:
      return [words.say(`${kind}.detail`, { num: left }), ...listed];
  }
}

/** Whether people were to go out, or to come back, and not to come for the first time. */
function goesByWay({ action: { way } }: Told): boolean {
  return way === "out" || way === "again";
}

function detailCase(told: Told): string {
  if (!goesByWay(told)) return `${told.kind}.detail`;
  return told.kind === "changed" ? "changed.passage" : `too_many.${told.action.way}`;
}

/** The number that those words tell: who is still to come, or in, or out. */
function passageLeft({ kind, party, action: { way } }: Told, left: number): number {
  if (way !== "out" && way !== "again") return left;
  if (!party) return 0;
  return way === "out" || kind === "changed" ? insideOf(party) : (party.outside ?? 0);
}

function passageWords({ kind, party }: Told, words: Words): string {
  const num = !party ? 0 : kind === "let_out" ? insideOf(party) : (party.outside ?? 0);
  return num > 0 ? words.say(`${kind}.rest`, { num }) : words.say(`${kind}.detail`);
}

function whyRefused({ kind, party }: Told, words: Words, facing: Facing): string {
  return (party && endWords(kind, party, words, facing)) ?? words.say(`${kind}.detail`);
}

function unlistedDetail(told: Told): string {
  const known = unlistedCase(told);
  if (known) return `${known}_detail`;
  return told.ticket === "older" ? "not_listed.older" : "not_listed.detail";
}

function admittedWords({ party }: Told, left: number, words: Words): string {
  if (left > 0) return words.say("admitted.rest", { num: left });
  return party?.released
    ? words.say("admitted.released", { num: party.released })
    : words.say("admitted.complete");
}

function firstFacts(first: First, words: Words): Facts {
  return { at: words.clock(first.at), by: first.by, door: first.door };
}

function headsOf(told: Told, words: Words, facing: Facing): Heads[] {
  const { kind, party, people, action } = told;
  if (kind === "not_listed") {
    const upTo = party ? toCome(party) : UNLISTED;
    return [{ act: "unlisted", label: words.say("let_in.unlisted"), upTo }];
  }
  if (kind === "let_out" || kind === "in_again") {
    const upTo = people - 1;
    return upTo > 0 ? [{ act: "only", label: words.say(`${kind}.only`), upTo }] : [];
  }
  if (kind === "admitted") {
    const rest = party ? headsFor(party, words, facing.free) : [];
    return people > 1 && (party || action.kind === "walk_in")
      ? [{ act: "only", label: words.say("let_in.only"), upTo: people - 1 }, ...rest]
      : rest;
  }
  if (!party) return [];
  if (action.way === "out") return kind === "none_in" ? [] : headsOut(party, words);
  if (kind === "some_out") return headsFor(party, words, facing.free);
  if (kind === "changed" || kind === "too_many" || kind === "undone") {
    return headsFor(party, words, facing.free);
  }
  if (kind === "released") {
    const upTo = Math.min(party.released, Math.max(1, facing.free));
    return [{ act: "late", label: words.say("let_in.late"), upTo }];
  }
  return [];
}

function buttonsOf(told: Told, words: Words): { act: string; label: string }[] {
  if (told.kind === "not_listed") return [{ act: "send-away", label: words.say("send_away") }];
  const next = { act: "next", label: words.say("next") };
  return told.people > 0 && told.kind !== "undone" ? [{ act: "undo", label: words.say("undo") }, next] : [next];
}
