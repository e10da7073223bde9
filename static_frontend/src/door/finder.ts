/** Typing a reference, and finding people by name: from the list as one types, and asking the server. */

import { headsFor, headsOut, partyOf, type Facing, type Heads } from "./cards.ts";
import { endWords } from "./changes.ts";
import { hidesNames } from "./discretion.ts";
import type { Evening } from "./evening.ts";
import { firstOf, isTicket, MAX_FOUND, readReference, type Found, type KnownParty } from "./house.ts";
import { Away, Refused } from "./server.ts";
import type { View } from "./view.ts";
import type { Words } from "./words.ts";

const NOBODY: Found = { parties: [], more: false };
const NO_EVENING: Facing = { listedAt: undefined, free: 0, now: new Date(0) };

export class Finder {
  private readonly view: View;
  private readonly words: Words;
  private shown = new Map<string, KnownParty>();
  private more = false;
  private showsInitials = false;
  /** Whether people may go out. */
  private mayLeave = false;

  constructor(view: View, words: Words) {
    this.view = view;
    this.words = words;
  }

  /** A party as it is shown, of which some may be let in. */
  shownParty(reference: string): KnownParty | undefined {
    return this.shown.get(reference);
  }

  typed(evening: Evening): void {
    this.show(this.findHere(evening), evening.book.facing);
  }

  /** The code that was typed; what is none is looked for as a name. */
  async submit(evening: Evening): Promise<string | undefined> {
    const typed = this.view.query.value.trim();
    if (!typed) return undefined;
    let found = this.findHere(evening);
    if (isCode(typed, evening, found.parties.length > 0)) {
      this.view.query.value = "";
      this.show(NOBODY);
      return typed;
    }
    // Only the server knows addresses, and who booked since the list came.
    if (!found.more && !evening.sync.isAway && maySearch(evening)) {
      const there = await findThere(evening, typed);
      // Ended while it was asked: nobody's name comes back. Or something else was typed since.
      if (evening.book.ended || this.view.query.value.trim() !== typed) return undefined;
      if (there === "later" && found.parties.length === 0) {
        this.show(NOBODY);
        this.view.say("found-none", this.words.say("found.later"));
        return undefined;
      }
      // Of those who are here, some may have been let in since.
      found = join(this.findHere(evening), there === "later" ? NOBODY : there);
    }
    this.show(found, evening.book.facing);
    if (found.parties.length === 0) this.view.say("found-none", this.nobodyWords(evening));
    // Not their first button: an Enter too many must let nobody in.
    else this.view.focusFound();
    return undefined;
  }

  /** Numbers of the shown parties follow; what is under a finger does not move without need. */
  refresh(evening: Evening): void {
    const now = [...this.shown.keys()].map((reference) => evening.book.house.find(reference));
    const isOld = (party: KnownParty | undefined) =>
      party && (hidesNames() !== this.showsInitials || !isShownAs(party, this.shown.get(party.reference)));
    if (now.some(isOld)) {
      const parties = [...this.shown.values()].map((old, n) => now[n] ?? old);
      this.show({ parties, more: this.more }, evening.book.facing);
    }
  }

  /** Nobody is to be found here any more. */
  forget(): void {
    this.view.query.value = "";
    this.show(NOBODY);
    this.view.closeFind();
  }

  private findHere(evening: Evening): Found {
    this.mayLeave = evening.book.reentry === true;
    return evening.book.house.search(this.view.query.value);
  }

  private show({ parties, more }: Found, facing: Facing = NO_EVENING): void {
    this.shown = new Map(parties.map((party) => [party.reference, party]));
    this.more = more;
    this.showsInitials = hidesNames();
    this.view.say("found-none", more ? this.words.say("found.more", { num: MAX_FOUND }) : undefined);
    this.view.found(
      parties.map((party) => {
        const isConfirmed = party.state === "confirmed";
        return {
          reference: party.reference,
          party: partyOf(party, this.words, facing),
          note: isConfirmed ? "" : this.stateWords(party, facing),
          heads: isConfirmed ? this.headsOf(party, facing.free) : [],
        };
      }),
    );
  }

  private stateWords(party: KnownParty, facing: Facing): string {
    if (party.state === "pending") return this.words.say("not_confirmed");
    return endWords(party.state, party, this.words, facing) ?? this.words.say(party.state);
  }

  private headsOf(party: KnownParty, free: number): Heads[] {
    const out = this.mayLeave ? headsOut(party, this.words) : [];
    return [...headsFor(party, this.words, free), ...out];
  }

  private nobodyWords(evening: Evening): string {
    if (!maySearch(evening)) return this.words.say("found.scans");
    const { sync, book: { listedAt } } = evening;
    return sync.isAway && listedAt
      ? this.words.say("found.list", { at: this.words.clock(listedAt) })
      : this.words.say("found.none");
  }
}

/** What is shown of a party, and may change meanwhile. */
const SHOWN = ["state", "seats", "admitted", "outside", "released", "note", "has_note", "late_at"] as const;

function isShownAs(party: KnownParty, shown: KnownParty | undefined): boolean {
  return SHOWN.every((fact) => party[fact] === shown?.[fact]);
}

function maySearch({ book: { rights } }: Evening): boolean {
  return rights.includes("search");
}

/** Some names look like references: such a word is one if the list has it, or if nobody is called so. */
function isCode(typed: string, { book: { house } }: Evening, isName: boolean): boolean {
  // No name has a colon: so hand scanners type what they read of a wifi code or a contact.
  if (/[/:]/.test(typed) || isTicket(typed)) return true;
  const reference = readReference(typed);
  return reference !== undefined && (house.listed(reference) !== undefined || !isName);
}

/** Who was found here stays where they are; who was found by the server alone comes after them. */
function join(here: Found, there: Found): Found {
  const known = new Set(here.parties.map((party) => party.reference));
  const others = there.parties.filter((party) => !known.has(party.reference));
  const { parties, more } = firstOf([...here.parties, ...others]);
  return { parties, more: more || there.more };
}

/** Whom the server finds; "later" when it was asked too often. */
async function findThere(evening: Evening, query: string): Promise<Found | "later"> {
  try {
    return await evening.searchEverywhere(query);
  } catch (error) {
    if (error instanceof Refused && error.status === 429) return "later";
    if (error instanceof Away || error instanceof Refused) return NOBODY;
    throw error;
  }
}
