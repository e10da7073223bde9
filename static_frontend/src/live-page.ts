/** Keeps a page as the server would write it now, while it is seen.
 *
 * The page is fetched again every few seconds, and its data-fresh elements are made like those of the
 * answer. Only what differs is touched: focus, selection, scrolling and a pressed button stay.
 */

/** Milliseconds from one answer to the next question; and at most, when there are none. */
const EVERY = 3_000;
const AT_MOST = 30_000;
/** Milliseconds to wait for an answer. */
const PATIENCE = 10_000;

export class LivePage {
  private readonly startOver: () => void;
  private readonly renewed = new Map<string, number>();
  private readonly began = performance.now();
  private pause = EVERY;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = false;

  /** `startOver` loads the page anew: it became another one, as when somebody was logged out. */
  constructor(startOver: () => void) {
    this.startOver = startOver;
    document.addEventListener("visibilitychange", () => this.turned());
    this.wait();
  }

  private turned(): void {
    clearTimeout(this.timer);
    if (!document.hidden) void this.ask();
  }

  private wait(): void {
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => void this.ask(), this.pause);
  }

  private async ask(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    try {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(PATIENCE) });
      if (answer.redirected || answer.status === 403 || answer.status === 404) {
        this.startOver();
        return;
      }
      if (!answer.ok) throw new Error(answer.statusText);
      this.take(new DOMParser().parseFromString(await answer.text(), "text/html"));
      this.pause = EVERY;
      this.tellStale(false);
    } catch {
      this.pause = Math.min(2 * this.pause, AT_MOST);
      this.tellStale(true);
    } finally {
      this.asking = false;
    }
    this.wait();
  }

  private take(page: Document): void {
    for (const part of document.querySelectorAll<HTMLElement>("[data-fresh]")) {
      const fresh = page.getElementById(part.id);
      if (fresh && this.isDue(part)) renew(part, fresh);
    }
  }

  /** Some parts are renewed more seldom: every `data-every` seconds. */
  private isDue(part: HTMLElement): boolean {
    const every = Number(part.dataset["every"] ?? 0) * 1_000;
    const now = performance.now();
    if (now - (this.renewed.get(part.id) ?? this.began) < every) return false;
    this.renewed.set(part.id, now);
    return true;
  }

  private tellStale(stale: boolean): void {
    for (const words of document.querySelectorAll<HTMLElement>("[data-stale]")) {
      words.hidden = !stale;
    }
  }
}

/** Make an element like a fresh one, touching nothing that is alike. */
export function renew(old: Element, fresh: Element): void {
  if (old.isEqualNode(fresh)) return;
  renewAttributes(old, fresh);
  let here = old.firstChild;
  for (const wanted of fresh.childNodes) {
    const same = counterpart(here, wanted);
    if (!same) {
      old.insertBefore(document.importNode(wanted, true), here);
      continue;
    }
    // What stood between is gone.
    while (here !== same) here = drop(here!);
    here = same.nextSibling;
    if (same instanceof Element) renew(same, wanted as Element);
    else if (same.nodeValue !== wanted.nodeValue) same.nodeValue = wanted.nodeValue;
  }
  while (here) here = drop(here);
}

function renewAttributes(old: Element, fresh: Element): void {
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  for (const { name } of [...old.attributes]) {
    // Whether details are open is up to who reads them.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
}

/** The node that `wanted` renews: what has its identity, from `here` on, or what stands in its place. */
function counterpart(here: ChildNode | null, wanted: Node): ChildNode | null {
  const identity = wanted instanceof Element ? wanted.id : "";
  if (!identity) return here?.nodeName === wanted.nodeName && !identityOf(here) ? here : null;
  let node = here;
  while (node && identityOf(node) !== identity) node = node.nextSibling;
  return node;
}

function identityOf(node: Node): string {
  return node instanceof Element ? node.id : "";
}

function drop(node: ChildNode): ChildNode | null {
  const next = node.nextSibling;
  node.remove();
  return next;
}
