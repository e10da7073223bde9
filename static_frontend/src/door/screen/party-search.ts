/** Typing a reference, and finding people by name: from the list as one types, and asking the server. */

import { admitButtons, exitButtons, partyOf, type CardContext, type PeopleButtons } from "./cards.ts";
import { endText } from "./booking-changes.ts";
import { hidesNames } from "./hidden-names.ts";
import type { DoorSession } from "../sync/session.ts";
import { limitFound, isTicket, MAX_FOUND, readReference, type SearchResult, type KnownParty } from "../rules/party-list.ts";
import { Unreachable, Refused } from "../sync/server.ts";
import type { View } from "./view.ts";
import type { Texts } from "./texts.ts";

const NOBODY: SearchResult = { parties: [], more: false };
const NO_CONTEXT: CardContext = { listedAt: undefined, free: 0, now: new Date(0) };

export class PartySearch {
  private readonly view: View;
  private readonly texts: Texts;
  private shown = new Map<string, KnownParty>();
  private more = false;
  private showsInitials = false;
  /** Whether people may go out. */
  private allowsExit = false;

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** A party as it is shown, of which some may be let in. */
  shownParty(reference: string): KnownParty | undefined {
    return this.shown.get(reference);
  }

  typed(session: DoorSession): void {
    this.show(this.findInList(session), session.state.cardContext);
  }

  /** The code that was typed; what is none is looked for as a name. */
  async submit(session: DoorSession): Promise<string | undefined> {
    const typed = this.view.query.value.trim();
    if (!typed) return undefined;
    let found = this.findInList(session);
    if (isCode(typed, session, found.parties.length > 0)) {
      this.view.query.value = "";
      this.show(NOBODY);
      return typed;
    }
    // Only the server knows addresses, and who booked since the list came.
    if (!found.more && !session.sync.isAway && maySearch(session)) {
      const there = await findOnServer(session, typed);
      // Ended while it was asked: nobody's name comes back. Or something else was typed since.
      if (session.state.ended || this.view.query.value.trim() !== typed) return undefined;
      if (there === "later" && found.parties.length === 0) {
        this.show(NOBODY);
        this.view.setText("found-none", this.texts.get("found.later"));
        return undefined;
      }
      // Of those who are here, some may have been let in since.
      found = join(this.findInList(session), there === "later" ? NOBODY : there);
    }
    this.show(found, session.state.cardContext);
    if (found.parties.length === 0) this.view.setText("found-none", this.nobodyText(session));
    // Not their first button: an Enter too many must let nobody in.
    else this.view.focusFound();
    return undefined;
  }

  /** Numbers of the shown parties follow; what is under a finger does not move without need. */
  refresh(session: DoorSession): void {
    const now = [...this.shown.keys()].map((reference) => session.state.parties.find(reference));
    const isOld = (party: KnownParty | undefined) =>
      party && (hidesNames() !== this.showsInitials || !isShownAs(party, this.shown.get(party.reference)));
    if (now.some(isOld)) {
      const parties = [...this.shown.values()].map((old, n) => now[n] ?? old);
      this.show({ parties, more: this.more }, session.state.cardContext);
    }
  }

  /** Nobody is to be found here any more. */
  forget(): void {
    this.view.query.value = "";
    this.show(NOBODY);
    this.view.closeFind();
  }

  private findInList(session: DoorSession): SearchResult {
    this.allowsExit = session.state.reentry === true;
    return session.state.parties.search(this.view.query.value);
  }

  private show({ parties, more }: SearchResult, context: CardContext = NO_CONTEXT): void {
    this.shown = new Map(parties.map((party) => [party.reference, party]));
    this.more = more;
    this.showsInitials = hidesNames();
    this.view.setText("found-none", more ? this.texts.get("found.more", { num: MAX_FOUND }) : undefined);
    this.view.found(
      parties.map((party) => {
        const isConfirmed = party.state === "confirmed";
        return {
          reference: party.reference,
          party: partyOf(party, this.texts, context),
          note: isConfirmed ? "" : this.stateText(party, context),
          peopleButtons: isConfirmed ? this.buttonsOf(party, context.free) : [],
        };
      }),
    );
  }

  private stateText(party: KnownParty, context: CardContext): string {
    if (party.state === "pending") return this.texts.get("not_confirmed");
    return endText(party.state, party, this.texts, context) ?? this.texts.get(party.state);
  }

  private buttonsOf(party: KnownParty, free: number): PeopleButtons[] {
    const out = this.allowsExit ? exitButtons(party, this.texts) : [];
    return [...admitButtons(party, this.texts, free), ...out];
  }

  private nobodyText(session: DoorSession): string {
    if (!maySearch(session)) return this.texts.get("found.scans");
    const { sync, state: { listedAt } } = session;
    return sync.isAway && listedAt
      ? this.texts.get("found.list", { at: this.texts.clock(listedAt) })
      : this.texts.get("found.none");
  }
}

/** What is shown of a party, and may change meanwhile. */
const SHOWN = ["state", "seats", "admitted", "outside", "released", "note", "has_note", "late_at"] as const;

function isShownAs(party: KnownParty, shown: KnownParty | undefined): boolean {
  return SHOWN.every((fact) => party[fact] === shown?.[fact]);
}

function maySearch({ state: { rights } }: DoorSession): boolean {
  return rights.includes("search");
}

/** Some names look like references: such a word is one if the list has it, or if nobody is called so. */
function isCode(typed: string, { state: { parties: partyList } }: DoorSession, isName: boolean): boolean {
  // No name has a colon: so hand scanners type what they read of a wifi code or a contact.
  if (/[/:]/.test(typed) || isTicket(typed)) return true;
  const reference = readReference(typed);
  return reference !== undefined && (partyList.listed(reference) !== undefined || !isName);
}

/** Who was found here stays where they are; who was found by the server alone comes after them. */
function join(here: SearchResult, there: SearchResult): SearchResult {
  const known = new Set(here.parties.map((party) => party.reference));
  const others = there.parties.filter((party) => !known.has(party.reference));
  const { parties, more } = limitFound([...here.parties, ...others]);
  return { parties, more: more || there.more };
}

/** Whom the server finds; "later" when it was asked too often. */
async function findOnServer(session: DoorSession, query: string): Promise<SearchResult | "later"> {
  try {
    return await session.searchEverywhere(query);
  } catch (error) {
    if (error instanceof Refused && error.status === 429) return "later";
    if (error instanceof Unreachable || error instanceof Refused) return NOBODY;
    throw error;
  }
}
