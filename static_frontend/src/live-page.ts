/** Updates a page in place while it is visible.
 *
 * The page is fetched again every few seconds; its data-fresh elements are changed to those of the response.
 * Only differences are touched, so focus, selection, scrolling and a pressed button stay.
 */

/** Usual milliseconds from a response to the next request; the pause doubles up to the maximum after failures. */
const INTERVAL = 3_000;
const MAX_INTERVAL = 30_000;
/** Milliseconds to wait for a response. */
const TIMEOUT = 10_000;
/** Event of the document after its parts were changed. */
export const RENEWED = "renewed";
/** Header that names the version of the list that the page has; it is not sent again while it is the same. */
const HAS = "X-Has-Parties";

export class LivePage {
  private readonly reload: () => void;
  private readonly updatedAt = new Map<string, number>();
  private readonly loadedAt = performance.now();
  private readonly interval: number;
  private pause: number;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private isRefreshing = false;

  /** `reload` is called when the server answers with another page, as after a logout. */
  constructor(reload: () => void, interval = INTERVAL) {
    this.reload = reload;
    this.interval = this.pause = interval;
    document.addEventListener("visibilitychange", () => this.visibilityChanged());
    this.schedule();
  }

  private visibilityChanged(): void {
    clearTimeout(this.timer);
    if (!document.hidden) void this.refresh();
  }

  private schedule(): void {
    clearTimeout(this.timer);
    if (!document.hidden) this.timer = setTimeout(() => void this.refresh(), this.pause);
  }

  private async refresh(): Promise<void> {
    if (this.isRefreshing) return;
    this.isRefreshing = true;
    try {
      const version = document.querySelector<HTMLElement>("[data-version]")?.dataset["version"];
      const response = await fetch(location.href, {
        signal: AbortSignal.timeout(TIMEOUT),
        ...(version ? { headers: { [HAS]: version } } : {}),
      });
      if (response.redirected || response.status === 403 || response.status === 404) {
        this.reload();
        return;
      }
      if (!response.ok) throw new Error(response.statusText);
      this.update(new DOMParser().parseFromString(await response.text(), "text/html"));
      this.pause = this.interval;
      this.showStale(false);
    } catch {
      this.pause = Math.min(2 * this.pause, MAX_INTERVAL);
      this.showStale(true);
    } finally {
      this.isRefreshing = false;
    }
    this.schedule();
  }

  private update(page: Document): void {
    for (const part of document.querySelectorAll<HTMLElement>("[data-fresh]")) {
      const fresh = page.getElementById(part.id);
      if (!fresh || "unchanged" in fresh.dataset) continue;
      if (this.isDue(part)) renew(part, fresh);
    }
    document.dispatchEvent(new Event(RENEWED));
  }

  /** Whether `data-every` seconds have passed since the last update of a part. */
  private isDue(part: HTMLElement): boolean {
    const every = Number(part.dataset["every"] ?? 0) * 1_000;
    const now = performance.now();
    if (now - (this.updatedAt.get(part.id) ?? this.loadedAt) < every) return false;
    this.updatedAt.set(part.id, now);
    return true;
  }

  private showStale(stale: boolean): void {
    for (const words of document.querySelectorAll<HTMLElement>("[data-stale]")) {
      words.hidden = !stale;
    }
  }
}

/** Change an element to a fresh one, leaving equal nodes untouched. */
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
    // Nodes before the match were removed.
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
    // `open` of <details> belongs to the reader.
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
}

/** The old node that `wanted` replaces: the one with its id from `here` on, else the one in its position. */
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
