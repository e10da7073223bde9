/** Hand scanners: keyboards that type a code quickly and end it with Enter, wherever the focus is. */

import { isTicket, isTicketOrReference } from "../rules/party-list.ts";

/** The longest pause between two keys of a code, in milliseconds: wireless scanners may stall. A reference typed
 * as fast by hand outside of any field is taken as well.
 */
const FAST = 500;
/** The length of the shortest code, a reference. */
const SHORTEST = 8;

/** Characters of other keys on a US keyboard, without and with Shift. */
const US: Readonly<Record<string, string>> = {
  Minus: "-_",
  Slash: "/?",
  Semicolon: ";:",
  Period: ".>",
};

export function listenForScanner(page: Document, tell: (code: string) => void): void {
  let typed = "";
  // The same keys on a US keyboard: scanners send its key codes unless they know the phone's layout.
  let asUs = "";
  let last = 0;
  let within: HTMLInputElement | HTMLSelectElement | undefined;
  page.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      // Text left in a field is not the beginning of a code.
      const field = isField(event.target) ? event.target : undefined;
      if (event.timeStamp - last > FAST || field !== within) typed = asUs = "";
      [last, within] = [event.timeStamp, field];
      if (event.key === "Enter") {
        const isMisread = !isTicketOrReference(typed) && isTicketOrReference(asUs);
        const code = (isMisread ? asUs : typed).trim();
        typed = asUs = "";
        if (field) {
          // In a field the form is submitted as usual, unless the layout garbled a ticket.
          if (!isMisread || !isTicket(code)) return;
          field.value = "";
        } else if (!code) return;
        // Enter must not press the focused button as well, even after a partial code.
        event.preventDefault();
        event.stopPropagation();
        if (code.length >= SHORTEST) tell(code);
      } else if (event.key.length === 1) {
        if (isSpaceOfCode(event)) event.preventDefault();
        typed += event.key;
        asUs += onUsKeyboard(event);
      }
    },
    { capture: true },
  );
  // Browsers press the focused button on keyup of Space.
  page.addEventListener("keyup", (event) => isSpaceOfCode(event) && event.preventDefault(), { capture: true });

  /** Whether it is a Space within a code, outside of fields. */
  function isSpaceOfCode({ key }: KeyboardEvent): boolean {
    return key === " " && !within && typed.trim() !== "";
  }
}

function onUsKeyboard({ code, key, shiftKey }: KeyboardEvent): string {
  const letter = /^Key([A-Z])$/.exec(code)?.[1];
  if (letter) return shiftKey ? letter : letter.toLowerCase();
  const digit = /^Digit([0-9])$/.exec(code)?.[1];
  return (shiftKey ? undefined : digit) ?? US[code]?.[Number(shiftKey)] ?? key;
}

function isField(target: EventTarget | null): target is HTMLInputElement | HTMLSelectElement {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
