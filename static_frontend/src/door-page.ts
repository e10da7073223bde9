/** Scanning, the verdict, and the next one.
 *
 * The server decides and renders everything; this sends the page's own forms and puts the contents
 * of the answer's data-fresh elements into those of this page. What the server cannot say, that
 * there is no answer, stands in the page's templates.
 */

import { signal } from "./signals.ts";

/** Milliseconds to wait for an answer. */
const PATIENCE = 10_000;
const LABEL = "azionelab.door";
/** Answers after which the same may work a moment later: too many requests, or the site is away. */
const MAY_PASS = new Set([429, 500, 502, 503, 504]);

export interface Camera {
  readonly isOn: boolean;
  pause(): void;
  resume(): void;
}

/** What a form sends, and what its lack of an answer means in words. */
interface Sending {
  readonly address: string;
  readonly data: FormData;
  readonly unanswered: string;
  readonly isSearch: boolean;
}

type MakeCamera = (panel: HTMLElement, tell: (code: string) => void) => Camera;

export function startDoor(root: HTMLElement, makeCamera: MakeCamera): void {
  new DoorPage(root, makeCamera);
}

class DoorPage {
  private readonly root: HTMLElement;
  private readonly camera: Camera;
  private busy = false;
  /** What got no answer: sent once more it is the same scan, and counts once. */
  private unanswered: Sending | undefined;
  /** Whether who holds the device looks for names, and wants to go on there. */
  private amongNames = false;

  constructor(root: HTMLElement, makeCamera: MakeCamera) {
    this.root = root;
    this.camera = makeCamera(this.find("[data-camera]"), (code) => this.scanned(code));
    root.addEventListener("submit", (event) => this.submitted(event));
    root.addEventListener("click", (event) => this.clicked(event));
    root.addEventListener("change", (event) => keepLabel(event.target));
    this.fillLabels();
    this.meetVerdict();
  }

  private scanned(code: string): void {
    if (this.busy) return;
    this.code.value = code;
    this.find<HTMLFormElement>("[data-scan]").requestSubmit();
  }

  private submitted(event: SubmitEvent): void {
    const form = event.target as HTMLFormElement;
    if (!("post" in form.dataset)) return;
    event.preventDefault();
    if (this.busy) return;
    const data = new FormData(form);
    const pressed = event.submitter;
    if (pressed instanceof HTMLButtonElement && pressed.name) data.set(pressed.name, pressed.value);
    // What is pressed in a verdict goes on from wherever that verdict came.
    if (form.closest("[data-names]")) this.amongNames = true;
    else if ("scan" in form.dataset) this.amongNames = false;
    void this.send({
      address: form.action,
      data,
      unanswered: form.dataset["unanswered"] ?? "",
      isSearch: form.role === "search",
    });
  }

  private async send(sending: Sending): Promise<void> {
    this.setBusy(true);
    this.camera.pause();
    this.unanswered = undefined;
    // At once: the verdict on the party before must never stand there for this one.
    if (sending.isSearch) this.find("#verdict").replaceChildren();
    else this.show("checking");
    try {
      const answer = await fetch(sending.address, {
        method: "POST",
        body: sending.data,
        signal: AbortSignal.timeout(PATIENCE),
      });
      await this.read(answer, sending);
    } catch {
      this.unanswered = sending;
      this.fail(sending.unanswered);
    } finally {
      this.setBusy(false);
      this.afterwards();
    }
  }

  private async read(answer: Response, sending: Sending): Promise<void> {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("[data-door]")) {
      // Another page: the login when the evening's session is over, or an error that says what.
      if (answer.redirected) location.assign(answer.url);
      else {
        if (MAY_PASS.has(answer.status)) this.unanswered = sending;
        this.fail(page.querySelector("main")?.textContent?.trim() ?? answer.statusText);
      }
      return;
    }
    for (const fresh of page.querySelectorAll<HTMLElement>("[data-fresh]")) {
      document.getElementById(fresh.id)?.replaceChildren(...fresh.childNodes);
    }
    document.title = page.title;
    this.code.value = "";
    this.find<HTMLInputElement>("[data-scan] [name=people]").value = "";
    this.fillLabels();
    this.meetVerdict();
  }

  private clicked(event: MouseEvent): void {
    const pressed = event.target as Element;
    if (pressed.closest("[data-retry]")) {
      if (this.unanswered && !this.busy) void this.send(this.unanswered);
    } else if (pressed.closest("[data-next]")) {
      event.preventDefault();
      this.find("#verdict").replaceChildren();
      this.code.value = "";
      if (this.unanswered) this.renewScan();
      this.afterwards();
    }
  }

  private meetVerdict(): void {
    const verdict = this.verdict;
    if (!verdict) return;
    verdict.scrollIntoView({ block: "start" });
    signal(verdict.dataset["tone"] ?? "");
  }

  /** A verdict waits for a person; without one the next ticket may come. */
  private afterwards(): void {
    if (this.verdict) this.camera.pause();
    else this.camera.resume();
    if (this.amongNames) this.goOnAmongNames();
    // A hand scanner types into the field; a phone with its camera on needs no keyboard.
    else if (!this.camera.isOn) this.code.focus({ preventScroll: true });
  }

  private goOnAmongNames(): void {
    const query = this.find<HTMLInputElement>("#query");
    const found = this.find("#parties");
    if (this.verdict) this.find("[data-next]").focus({ preventScroll: true });
    // Not their first button: an Enter too many must let nobody in.
    else if (found.childElementCount) found.focus();
    else {
      query.focus();
      query.select();
    }
  }

  /** Put one of the page's own templates where the verdict stands. */
  private show(name: string): HTMLElement {
    const card = this.find<HTMLTemplateElement>(`template[data-${name}]`).content.cloneNode(true);
    this.find("#verdict").replaceChildren(card);
    this.find("#told").replaceChildren();
    this.verdict!.scrollIntoView({ block: "start" });
    return this.verdict!;
  }

  /** No answer, or one that is no verdict: as far as this device knows, nobody was let in. */
  private fail(words: string): void {
    const card = this.show("no-answer");
    card.querySelector(".detail")!.textContent = words;
    if (!this.unanswered) card.querySelector("[data-retry]")!.remove();
    signal(card.dataset["tone"] ?? "");
  }

  /** The next ticket is another scan: the identity in the page's forms was sent already. */
  private renewScan(): void {
    this.unanswered = undefined;
    // Absent without https; then the server asks to scan once more.
    if (!("randomUUID" in crypto)) return;
    const identity = crypto.randomUUID();
    for (const field of this.root.querySelectorAll<HTMLInputElement>("[name=scan_id]")) {
      field.value = identity;
    }
  }

  private setBusy(busy: boolean): void {
    this.busy = busy;
    this.root.setAttribute("aria-busy", String(busy));
    for (const button of this.root.querySelectorAll("[data-post] button")) {
      button.setAttribute("aria-disabled", String(busy));
    }
  }

  private fillLabels(): void {
    const label = readLabel();
    if (!label) return;
    for (const field of this.root.querySelectorAll<HTMLInputElement>("[data-door-label]")) {
      field.value = label;
    }
  }

  private get verdict(): HTMLElement | null {
    return this.root.querySelector("[data-verdict]");
  }

  private get code(): HTMLInputElement {
    return this.find("[data-scan] [name=code]");
  }

  private find<Found extends HTMLElement = HTMLElement>(selector: string): Found {
    return this.root.querySelector<Found>(selector)!;
  }
}

function keepLabel(field: EventTarget | null): void {
  if (!(field instanceof HTMLInputElement) || !("doorLabel" in field.dataset)) return;
  try {
    localStorage.setItem(LABEL, field.value);
  } catch {
    // A browser that keeps nothing: the label lasts as long as the page.
  }
}

function readLabel(): string {
  try {
    return localStorage.getItem(LABEL) ?? "";
  } catch {
    return "";
  }
}
