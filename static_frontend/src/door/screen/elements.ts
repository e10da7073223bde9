/** The DOM elements of cards, parties and notices, from their data. */

import type { Card, PeopleButtons } from "./cards.ts";

/** Up to this number of people each number has its own button; above there is a field. */
const BUTTONS = 8;

export interface Notice {
  readonly id: string;
  readonly title: string;
  readonly text: string;
}

export interface FoundParty {
  readonly reference: string;
  readonly party: NonNullable<Card["party"]>;
  readonly note: string;
  readonly peopleButtons: readonly PeopleButtons[];
}

/** A link to the page of an invitation. */
export interface Link {
  readonly address: string;
  readonly text: string;
}

/** The element of a card; `symbol` is the template of its tone's symbol. */
export function cardElement(card: Card, symbol: HTMLTemplateElement): HTMLElement {
  return make("div", { class: `verdict ${card.tone}`, "data-verdict": card.kind }, [
    make("div", { class: "said" }, [
      symbol.content.cloneNode(true),
      make("h2", {}, [card.headline]),
      ...card.details.map((detail) => make("p", { class: "detail" }, [detail])),
      ...(card.party ? partyLines(card.party) : []),
    ]),
    make("div", { class: "answer" }, [
      ...card.peopleButtons.map((peopleButtons) => peopleButtonsElement(peopleButtons, "")),
      make(
        "div",
        { class: "actions" },
        card.buttons.map(({ act, label }) =>
          make("button", { type: "button", "data-do": act, ...(isNext(act) && { class: "next" }) }, [label]),
        ),
      ),
    ]),
  ]);
}

/** A party that a search found. */
export function foundItem(found: FoundParty): HTMLElement {
  return make("li", {}, [
    ...partyLines(found.party),
    ...(found.note ? [make("p", { class: "muted" }, [found.note])] : []),
    ...found.peopleButtons.map((peopleButtons) => peopleButtonsElement(peopleButtons, found.reference)),
  ]);
}

/** A notice with the button that dismisses it, labelled `close`. */
export function noticeItem(line: Notice, close: string): HTMLElement {
  return make("li", { "data-about": line.id }, [
    noticeText(line),
    make("button", { type: "button", class: "quiet", "data-do": "dismiss", "data-about": line.id }, [close]),
  ]);
}

export function noticeText({ title, text }: Notice): HTMLElement {
  return make("p", {}, [make("strong", {}, [title]), ` ${text}`]);
}

export function linkItem({ address, text }: Link): HTMLElement {
  return make("li", {}, [make("a", { class: "button quiet", href: address }, [text])]);
}

function isNext(act: string): boolean {
  return act === "next" || act === "send-away";
}

function peopleButtonsElement({ act, label, upTo }: PeopleButtons, about: string): HTMLElement {
  const numbers = Array.from({ length: Math.min(upTo, BUTTONS) }, (_, n) => n + 1);
  const parts: HTMLElement[] = numbers.map((people) =>
    make("button", { type: "button", "data-do": act, "data-n": `${people}`, "data-about": about }, [
      make("span", { class: "visually-hidden" }, [`${label} `]),
      `${people}`,
    ]),
  );
  if (upTo > BUTTONS) {
    parts.push(
      make("form", { "data-do": act, "data-about": about, class: "many" }, [
        make("input", {
          type: "number",
          name: "people",
          inputmode: "numeric",
          min: "1",
          max: `${upTo}`,
          value: `${upTo}`,
          required: "",
          "aria-label": label,
        }),
        make("button", { type: "submit" }, ["OK"]),
      ]),
    );
  }
  return make("div", { class: "heads", role: "group", "aria-label": label }, [
    make("p", { "aria-hidden": "true" }, [label]),
    ...parts,
  ]);
}

/** A party's name, facts and notes; a hidden name is a button that reveals it. */
function partyLines({ name, facts, notes, hidden }: NonNullable<Card["party"]>): HTMLElement[] {
  if (!hidden) return linesOf(name, facts, notes);
  const button = make("button", { type: "button", class: "reveal", "aria-label": hidden.label }, [name]);
  const lines = linesOf(button, facts, notes);
  button.addEventListener("click", () => {
    const [first, ...others] = lines;
    const shown = linesOf(hidden.name, facts, hidden.notes);
    for (const other of others) other.remove();
    first!.replaceWith(...shown);
    // The focused button was replaced.
    shown[0]!.tabIndex = -1;
    shown[0]!.focus();
  });
  return lines;
}

function linesOf(name: Node | string, facts: readonly string[], notes: readonly string[]): HTMLElement[] {
  return [
    make("p", { class: "party" }, [
      make("b", { dir: "auto" }, [name]),
      make(
        "span",
        { class: "dotted" },
        facts.flatMap((fact) => [make("span", {}, [fact]), " "]),
      ),
    ]),
    ...notes.map((note) => make("p", { class: "note", dir: "auto" }, [note])),
  ];
}

function make(
  tag: string,
  attributes: Readonly<Record<string, string>>,
  children: readonly (Node | string)[] = [],
): HTMLElement {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
