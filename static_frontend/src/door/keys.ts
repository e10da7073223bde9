/** Hand scanners: keyboards that type a code fast and end it with Enter, wherever the focus is. */

/** Milliseconds between two keys, at most: scanners that go by radio stumble. Whoever types a reference
 * as fast, without looking for a field, means it.
 */
const FAST = 500;
/** Characters of a reference, the shortest code. */
const SHORTEST = 8;

export function listenForScanner(page: Document, tell: (code: string) => void): void {
  let typed = "";
  let last = 0;
  page.addEventListener(
    "keydown",
    (event) => {
      // In a field a scanner types as anybody does, and the field's form is sent.
      if (isField(event.target) || event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.timeStamp - last > FAST) typed = "";
      last = event.timeStamp;
      if (event.key === "Enter") {
        const code = typed;
        typed = "";
        if (code.length < SHORTEST) return;
        // Not also a press of the button that has the focus.
        event.preventDefault();
        event.stopPropagation();
        tell(code);
      } else if (event.key.length === 1) {
        typed += event.key;
      }
    },
    { capture: true },
  );
}

function isField(target: EventTarget | null): boolean {
  return target instanceof HTMLInputElement || target instanceof HTMLSelectElement;
}
