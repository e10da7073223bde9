/** Hand scanners: keyboards that type a code fast and end it with Enter, wherever the focus is. */

import { isTicket, isTicketOrReference } from "../rules/party-list.ts";

/** Milliseconds between two keys, at most: scanners that go by radio stumble. Whoever types a reference
 * as fast, without looking for a field, means it.
 */
const FAST = 500;
/** Characters of a reference, the shortest code. */
const SHORTEST = 8;

/** What keys without a letter or a digit of a code on them type on a US keyboard, plain and with Shift. */
const US: Readonly<Record<string, string>> = {
  Minus: "-_",
  Slash: "/?",
  Semicolon: ";:",
  Period: ".>",
};

export function listenForScanner(page: Document, tell: (code: string) => void): void {
  let typed = "";
  // The same keys on a US keyboard: that is what a scanner is whom nobody told the phone's layout.
  let asUs = "";
  let last = 0;
  let within: HTMLInputElement | HTMLSelectElement | undefined;
  page.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      // What was typed into a field, and left there, is no beginning of a code.
      const field = isField(event.target) ? event.target : undefined;
      if (event.timeStamp - last > FAST || field !== within) typed = asUs = "";
      [last, within] = [event.timeStamp, field];
      if (event.key === "Enter") {
        const isMisread = !isTicketOrReference(typed) && isTicketOrReference(asUs);
        const code = (isMisread ? asUs : typed).trim();
        typed = asUs = "";
        if (field) {
          // In a field a scanner types as anybody does, and the field's form is sent: but not what it misread.
          if (!isMisread || !isTicket(code)) return;
          field.value = "";
        } else if (!code) return;
        // Not also a press of the button that has the focus, not even when the code came in part.
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
  // A browser presses the button that has the focus when Space is let go.
  page.addEventListener("keyup", (event) => isSpaceOfCode(event) && event.preventDefault(), { capture: true });

  /** Whether it is a Space behind something else that was typed just before, and in no field. */
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
