/** The list of an evening's parties: searched as one types, filtered, walked through with the keyboard.
 *
 * The page holds all parties; what is typed stays in the browser, in the history's entry of the page, so that
 * Back brings it back and no address has it. The chosen group is in the address.
 */

import { matchesName, spellings } from "../door/rules/name-matching.ts";
import { RENEWED } from "../live-page.ts";

const DEFAULT_GROUP = "booked";
/** Key of the session storage: what was typed, across a button's round trip through the server. */
const CARRIED = "parties-typed";
/** Milliseconds after a key until the number of parties is said and the history's entry is written. */
const PAUSE = 300;

export class PartyList {
  private readonly list: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly matches = new WeakMap<Element, { searched: string; wanted: string; found: boolean }>();
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(list: HTMLElement) {
    this.list = list;
    this.field = list.querySelector<HTMLInputElement>("input[type=search]")!;
    for (const button of list.querySelectorAll<HTMLElement>("[data-plain]")) button.hidden = true;
    this.restore();
    this.field.addEventListener("input", () => this.typed());
    this.field.form!.addEventListener("submit", (event) => this.submit(event));
    list.addEventListener("click", (event) => this.click(event));
    list.addEventListener("submit", () => this.carry());
    document.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener(RENEWED, () => this.show());
    this.show();
  }

  private get rows(): HTMLElement[] {
    return [...this.list.querySelectorAll<HTMLElement>("tr[data-groups]")];
  }

  private get group(): string {
    return new URLSearchParams(location.search).get("show") ?? DEFAULT_GROUP;
  }

  /** Bring back what was typed: by Back or a reload, or before a button was pressed. */
  private restore(): void {
    const state = history.state as { typed?: string } | null;
    const carried = sessionStorage.getItem(CARRIED);
    sessionStorage.removeItem(CARRIED);
    this.field.value = state?.typed ?? carried ?? this.field.value;
    const address = new URL(location.href);
    // The search of a page without scripts.
    address.searchParams.delete("find");
    this.keep(address);
  }

  private keep(address: URL): void {
    history.replaceState({ typed: this.field.value }, "", address);
  }

  private carry(): void {
    sessionStorage.setItem(CARRIED, this.field.value);
  }

  private typed(): void {
    this.show();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.keep(new URL(location.href));
      this.tell();
    }, PAUSE);
  }

  private submit(event: Event): void {
    event.preventDefault();
    event.stopPropagation();
    this.keep(new URL(location.href));
    this.shownLinks()[0]?.click();
  }

  private click(event: MouseEvent): void {
    if (!(event.target instanceof Element)) return;
    const chosen = event.target.closest<HTMLElement>("[data-show]");
    const isPlain = !(event.ctrlKey || event.metaKey || event.shiftKey);
    if (chosen && isPlain) {
      event.preventDefault();
      this.choose(chosen.dataset["show"]!);
      return;
    }
    const act = event.target.closest("a, button");
    if (act?.closest("td.party-acts")) this.carry();
    this.keep(new URL(location.href));
    // Anywhere on a row opens its party, unless text is being selected.
    const row = event.target.closest<HTMLElement>("tr[data-groups]");
    if (row && !act && isPlain && !String(getSelection())) {
      row.querySelector<HTMLElement>("[data-party]")?.click();
    }
  }

  private choose(group: string): void {
    const address = new URL(location.href);
    if (group === DEFAULT_GROUP) address.searchParams.delete("show");
    else address.searchParams.set("show", group);
    this.keep(address);
    this.show();
    this.tell();
  }

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target as HTMLElement;
    const isTyping = target.matches("input, textarea, select");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      this.field.focus();
      this.field.select();
    } else if (event.key === "Escape" && target === this.field && this.field.value) {
      event.preventDefault();
      this.field.value = "";
      this.typed();
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      this.move(event, target);
    }
  }

  /** From the search into the list, along it, and back. */
  private move(event: KeyboardEvent, from: HTMLElement): void {
    const links = this.shownLinks();
    const row = from.closest("tr[data-groups]");
    const here = row ? links.findIndex((link) => row.contains(link)) : -1;
    if (from !== this.field && here < 0) return;
    event.preventDefault();
    const next = here + (event.key === "ArrowDown" ? 1 : -1);
    if (next < 0) this.field.focus();
    else links[next]?.focus();
  }

  private shownLinks(): HTMLElement[] {
    return this.rows
      .filter((row) => !row.hidden)
      .map((row) => row.querySelector<HTMLElement>("[data-party]")!);
  }

  /** Show the rows of the group that have what is typed. */
  private show(): void {
    const { group } = this;
    const typed = this.field.value.trim();
    const wanted = spellings(typed);
    let found = 0;
    let shown = 0;
    for (const row of this.rows) {
      const isFound = typed === "" || this.isMatch(row, typed, wanted);
      const isShown = isFound && row.dataset["groups"]!.split(" ").includes(group);
      row.hidden = !isShown;
      found += Number(isFound);
      shown += Number(isShown);
    }
    this.showGroup(group);
    this.showEmpty(shown, found > shown);
  }

  private isMatch(row: HTMLElement, typed: string, wanted: string[]): boolean {
    const searched = this.searchedIn(row);
    const known = this.matches.get(row);
    if (known?.searched === searched && known.wanted === typed) return known.found;
    const found = matchesName(searched, wanted);
    this.matches.set(row, { searched, wanted: typed, found });
    return found;
  }

  /** Name, reference, note and address, as `ListedParty.searched` of the server. */
  private searchedIn(row: HTMLElement): string {
    const parts = row.querySelectorAll("[data-party], .reference, .note, .mail");
    return [...parts].map((part) => part.textContent).join(" ");
  }

  private showGroup(group: string): void {
    for (const link of this.list.querySelectorAll<HTMLElement>(".groups [data-show]")) {
      if (link.dataset["show"] === group) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const field of this.list.querySelectorAll<HTMLInputElement>("[data-group]")) {
      field.value = group;
    }
  }

  private showEmpty(shown: number, areOthers: boolean): void {
    const empty = this.list.querySelector<HTMLElement>("#no-parties")!;
    empty.hidden = shown > 0;
    const isUnbooked = this.rows.length === 0;
    empty.querySelector<HTMLElement>("[data-none=booked]")!.hidden = !isUnbooked;
    empty.querySelector<HTMLElement>("[data-none=here]")!.hidden = isUnbooked;
    empty.querySelector<HTMLElement>("[data-show]")!.hidden = !areOthers;
  }

  /** Say the number of parties to screen readers. */
  private tell(): void {
    const shown = this.shownLinks().length;
    const words = this.list.querySelector<HTMLElement>("[role=status]")!;
    words.textContent =
      shown === 1 ? words.dataset["one"]! : words.dataset["many"]!.replace("#", String(shown));
  }
}
