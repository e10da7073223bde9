/** The DOM of the page: shows what it is given, and reports which button was pressed. It has no rules. */

import type { Card } from "./cards.ts";
import {
  cardElement,
  foundItem,
  linkItem,
  noticeItem,
  noticeText,
  type FoundParty,
  type Link,
  type Notice,
} from "./elements.ts";

/** Milliseconds for which new buttons ignore touches, which were meant for what was there before, or are double
 * taps. Double taps take up to 300 ms, and nobody reads and answers a card within 500 ms.
 */
const SETTLES = 500;

export type Screen = "starting" | "insecure" | "stranger" | "join" | "ended" | "door";

export interface Pressed {
  readonly act: string;
  readonly people: number;
  /** The subject of the button: a party's reference, or a scan id. */
  readonly about: string;
}

export class View {
  private readonly page: Document;
  private settling: ReturnType<typeof setTimeout> | undefined;
  /** The focused element before a card took the focus. */
  private before: HTMLElement | undefined;

  constructor(page: Document, press: (pressed: Pressed) => void) {
    this.page = page;
    page.addEventListener("click", (event) => {
      const button = (event.target as Element).closest<HTMLElement>("button[data-do]");
      if (button) press(pressedBy(button));
    });
    page.addEventListener("submit", (event) => {
      const form = event.target as HTMLElement;
      if (!("do" in form.dataset)) return;
      event.preventDefault();
      press(pressedBy(form));
    });
    page.addEventListener("keydown", (event) => {
      // Cards, sheets and input method composition handle Escape themselves.
      if (event.key !== "Escape" || event.isComposing || !this.isFinding) return;
      if (!this.hasCard && !this.hasSheet) press({ act: "close-find", people: 0, about: "" });
    });
  }

  screen(name: Screen): void {
    this.find("main").dataset["screen"] = name;
    for (const part of this.page.querySelectorAll<HTMLElement>("[data-on]")) {
      part.hidden = part.dataset["on"] !== name;
    }
  }

  /** Set the text of a slot; without a text the slot is hidden. */
  setText(place: string, texts: string | undefined): void {
    const part = this.find(`[data-${place}]`);
    // A live region speaks whenever it is written to: write only changes.
    if (part.textContent !== (texts ?? "")) part.textContent = texts ?? "";
    part.hidden = !texts;
  }

  show(place: string, isShown: boolean): void {
    this.find(`[data-${place}]`).hidden = !isShown;
  }

  /** Show the parts that need these rights, and the alternatives for missing ones. */
  allow(rights: readonly string[]): void {
    for (const part of this.page.querySelectorAll<HTMLElement>("[data-needs]")) {
      part.hidden = !rights.includes(part.dataset["needs"]!);
    }
    for (const part of this.page.querySelectorAll<HTMLElement>("[data-lacks]")) {
      part.hidden = rights.includes(part.dataset["lacks"]!);
    }
  }

  enable(act: string, isEnabled: boolean): void {
    for (const button of this.page.querySelectorAll<HTMLButtonElement>(`[data-do="${act}"]`)) {
      button.disabled = !isEnabled;
    }
  }

  /** Read a checkbox and clear it. */
  takeTick(name: string): boolean {
    const box = this.find<HTMLInputElement>(`[data-${name}]`);
    const { checked } = box;
    box.checked = false;
    return checked;
  }

  /** Mark a toggle button as pressed or not. */
  press(act: string, isPressed: boolean): void {
    this.find(`[data-do="${act}"]`).setAttribute("aria-pressed", `${isPressed}`);
  }

  mark(name: string, value: string): void {
    this.find("main").dataset[name] = value;
  }

  count(name: string, number: number | undefined): void {
    this.find(`[data-count="${name}"]`).textContent = number === undefined ? "–" : `${number}`;
  }

  /** Show notices; returns whether there are new ones. */
  notices(lines: readonly Notice[], close: string): boolean {
    const list = this.find("[data-notices]");
    const shown = new Map(lines.map((line) => [line.id, line]));
    for (const item of list.querySelectorAll<HTMLElement>("li")) {
      const line = shown.get(item.dataset["about"]!);
      if (line) {
        shown.delete(line.id);
        // Names may have been hidden meanwhile.
        const texts = noticeText(line);
        if (item.firstChild!.textContent !== texts.textContent) item.firstChild!.replaceWith(texts);
        continue;
      }
      // The next notice moves up: a second tap must not dismiss it unread.
      this.settle();
      item.remove();
    }
    const fresh = lines.filter(({ id }) => shown.has(id));
    for (const line of fresh) list.append(noticeItem(line, close));
    return fresh.length > 0;
  }

  /** Cover the page with a card. */
  card(card: Card): void {
    const place = this.find("#verdict");
    const { activeElement } = this.page;
    // Only the first of several cards in a row took the focus from the page.
    if (this.find("main").contains(activeElement)) this.before = activeElement as HTMLElement;
    const symbol = this.find<HTMLTemplateElement>(`template[data-symbol="${card.tone}"]`);
    place.replaceChildren(cardElement(card, symbol));
    this.settle();
    this.mark("verdict", card.kind);
    this.find("main").inert = true;
    place
      .querySelector<HTMLElement>("[data-do=next], [data-do=send-away]")
      ?.focus({ preventScroll: true });
  }

  clearCard(): void {
    if (this.hasCard) this.settle();
    this.find("#verdict").replaceChildren();
    delete this.find("main").dataset["verdict"];
    this.find("main").inert = false;
  }

  /** Restore the focus after the cards, for keyboard users. */
  giveFocusBack(): void {
    const { before } = this;
    this.before = undefined;
    if (!before) return;
    before.focus({ preventScroll: true });
    // The element may be gone, for example the button to undo the last admission.
    if (this.page.activeElement === before) return;
    const walkIn = this.find("[data-do=walk-in]");
    const place = walkIn.hidden ? this.find("[data-do=more]") : walkIn;
    place.focus({ preventScroll: true });
  }

  /** The card on the screen asks a question that must be answered. */
  get hasQuestion(): boolean {
    return this.page.querySelector("#verdict [data-do=send-away]") !== null;
  }

  get hasCard(): boolean {
    return this.find("#verdict").childElementCount > 0;
  }

  found(parties: readonly FoundParty[]): void {
    this.find("[data-found]").replaceChildren(...parties.map(foundItem));
  }

  /** Show the performances that this phone may enrol for. */
  evenings(evenings: readonly Link[]): void {
    for (const part of this.page.querySelectorAll<HTMLElement>("[data-evenings]")) {
      part.hidden = evenings.length === 0;
      part.querySelector("ul")!.replaceChildren(...evenings.map(linkItem));
    }
  }

  openFind(): void {
    this.settle();
    this.mark("finding", "yes");
    this.focusQuery();
  }

  closeFind(): void {
    if (!this.isFinding) return;
    this.settle();
    delete this.find("main").dataset["finding"];
    this.find("[data-do=find]").focus();
  }

  get isFinding(): boolean {
    return this.find("main").dataset["finding"] === "yes";
  }

  /** A panel or sheet covers the camera's picture. */
  get isOccupied(): boolean {
    return this.isFinding || this.hasSheet;
  }

  private get hasSheet(): boolean {
    return this.page.querySelector("dialog[open]") !== null;
  }

  focusQuery(): void {
    this.query.focus();
    this.query.select();
  }

  focusFound(): void {
    this.find("[data-found]").focus();
  }

  get query(): HTMLInputElement {
    return this.find("#query");
  }

  openSheet(name: string): void {
    const sheet = this.find<HTMLDialogElement>(`[data-sheet="${name}"]`);
    if (sheet.open) return;
    this.settle();
    sheet.showModal();
    // Sheets are longer than a small screen: always start at the top.
    sheet.scrollTop = 0;
  }

  closeSheets(): void {
    for (const sheet of this.page.querySelectorAll<HTMLDialogElement>("dialog[open]")) {
      this.settle();
      sheet.close();
    }
  }

  /** Show or hide the lock screen. */
  cover(isCovered: boolean): void {
    this.find("main").hidden = isCovered;
    this.show("lock", isCovered);
    if (isCovered) this.find("#unlock-pin").focus();
  }

  /** Switch the kiosk layout on or off. */
  kiosk(isOn: boolean): void {
    if (isOn) this.page.body.dataset["kiosk"] = "";
    else delete this.page.body.dataset["kiosk"];
  }

  find<Part extends HTMLElement = HTMLElement>(selector: string): Part {
    return this.page.querySelector<Part>(selector)!;
  }

  /** Block touches for SETTLES, because buttons have moved. Keyboards and screen readers are not blocked. */
  private settle(): void {
    clearTimeout(this.settling);
    this.page.body.dataset["settling"] = "";
    this.settling = setTimeout(() => delete this.page.body.dataset["settling"], SETTLES);
  }
}

function pressedBy(part: HTMLElement): Pressed {
  const typed = part instanceof HTMLFormElement ? new FormData(part).get("people") : null;
  return {
    act: part.dataset["do"]!,
    people: Number(typed ?? part.dataset["n"] ?? 0),
    about: part.dataset["about"] ?? "",
  };
}
