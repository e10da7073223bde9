/** The search field: finds parties in the list while typing, and on the server on submit; takes references as codes. */

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
  /** Whether results offer to let people out. */
  private allowsExit = false;

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** A party among the shown results. */
  shownParty(reference: string): KnownParty | undefined {
    return this.shown.get(reference);
  }

  typed(session: DoorSession): void {
    this.show(this.findInList(session), session.state.cardContext);
  }

  /** Returns the code if one was typed; otherwise searches by name. */
  async submit(session: DoorSession): Promise<string | undefined> {
    const typed = this.view.query.value.trim();
    if (!typed) return undefined;
    let found = this.findInList(session);
    if (isCode(typed, session, found.parties.length > 0)) {
      this.view.query.value = "";
      this.show(NOBODY);
      return typed;
    }
    // Only the server knows e-mail addresses and bookings since the last sync.
    if (!found.more && !session.sync.isAway && maySearch(session)) {
      const there = await findOnServer(session, typed);
      // The session has ended, or the query has changed: drop the result.
      if (session.state.ended || this.view.query.value.trim() !== typed) return undefined;
      if (there === "later" && found.parties.length === 0) {
        this.show(NOBODY);
        this.view.setText("found-none", this.texts.get("found.later"));
        return undefined;
      }
      // Search the list again: some of its parties may have been let in meanwhile.
      found = join(this.findInList(session), there === "later" ? NOBODY : there);
    }
    this.show(found, session.state.cardContext);
    if (found.parties.length === 0) this.view.setText("found-none", this.nobodyText(session));
    // Focus the list, not its first button: a second Enter must not let anybody in.
    else this.view.focusFound();
    return undefined;
  }

  /** Update the shown parties, only if they changed: buttons must not move under a finger. */
  refresh(session: DoorSession): void {
    const now = [...this.shown.keys()].map((reference) => session.state.parties.find(reference));
    const isOld = (party: KnownParty | undefined) =>
      party && (hidesNames() !== this.showsInitials || !isShownAs(party, this.shown.get(party.reference)));
    if (now.some(isOld)) {
      const parties = [...this.shown.values()].map((old, n) => now[n] ?? old);
      this.show({ parties, more: this.more }, session.state.cardContext);
    }
  }

  /** Clear the search. */
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

/** The facts of a party that are shown and may change. */
const SHOWN = ["state", "seats", "admitted", "outside", "released", "note", "has_note", "late_at", "wheelchair_places"] as const;

function isShownAs(party: KnownParty, shown: KnownParty | undefined): boolean {
  return SHOWN.every((fact) => party[fact] === shown?.[fact]);
}

function maySearch({ state: { rights } }: DoorSession): boolean {
  return rights.includes("search");
}

/** Some names look like references: take one as a reference if the list has it, or if no name matches. */
function isCode(typed: string, { state: { parties: partyList } }: DoorSession, isName: boolean): boolean {
  // Hand scanners may type a foreign code, such as a wifi network: names have no colon or slash.
  if (/[/:]/.test(typed) || isTicket(typed)) return true;
  const reference = readReference(typed);
  return reference !== undefined && (partyList.listed(reference) !== undefined || !isName);
}

/** Keep the order of results from the list; results of the server come after them. */
function join(here: SearchResult, there: SearchResult): SearchResult {
  const known = new Set(here.parties.map((party) => party.reference));
  const others = there.parties.filter((party) => !known.has(party.reference));
  const { parties, more } = limitFound([...here.parties, ...others]);
  return { parties, more: more || there.more };
}

/** Search on the server; "later" if its rate limit is reached. */
async function findOnServer(session: DoorSession, query: string): Promise<SearchResult | "later"> {
  try {
    return await session.searchEverywhere(query);
  } catch (error) {
    if (error instanceof Refused && error.status === 429) return "later";
    if (error instanceof Unreachable || error instanceof Refused) return NOBODY;
    throw error;
  }
}
