/** Keeps the number of seats left beside the form up to date, without touching what was entered.
 *
 * The form's own page is asked for again, so the words are the server's. A number of seats that is no longer there
 * cannot be chosen any more; one that was chosen stays, until the server refuses it.
 */

/** Milliseconds between two requests, while the page is visible. */
export const INTERVAL = 20_000;
const TIMEOUT = 10_000;

export function keepSeatsFresh(page: Document): void {
  const told = page.querySelector<HTMLElement>("[data-seats-left]");
  const address = told?.dataset["seatsLeft"];
  if (!told || !address) return;
  setInterval(() => {
    if (!page.hidden) void renew(told, address);
  }, INTERVAL);
}

async function renew(told: HTMLElement, address: string): Promise<void> {
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(TIMEOUT) });
    if (response.ok) show(told, new DOMParser().parseFromString(await response.text(), "text/html"));
  } catch {
    // The number stays as it is; the server decides when the form is sent.
  }
}

function show(told: HTMLElement, fresh: Document): void {
  // Without a form the page says why booking is not possible any more.
  const words = fresh.querySelector("[data-seats-left]") ?? fresh.querySelector("main [role=status]");
  // Only a change: it is read aloud.
  if (words && told.textContent?.trim() !== words.textContent?.trim())
    told.replaceChildren(...[...words.childNodes].map((node) => told.ownerDocument.importNode(node, true)));
  const offered = new Set([...fresh.querySelectorAll<HTMLOptionElement>("#seats option")].map((each) => each.value));
  for (const option of told.ownerDocument.querySelectorAll<HTMLOptionElement>("#seats option"))
    option.disabled = !offered.has(option.value) && !option.selected;
}
