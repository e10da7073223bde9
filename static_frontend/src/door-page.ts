/** Scanning, the verdict, and the next one.
 *
 * The server decides and renders everything; this sends the page's own forms and puts the contents
 * of the answer's data-fresh elements into those of this page.
 */

import { signal } from "./signals.ts";

/** Milliseconds to wait for an answer. */
const PATIENCE = 10_000;
const LABEL = "azionelab.door";

export interface Camera {
  readonly isOn: boolean;
  pause(): void;
  resume(): void;
}

type MakeCamera = (panel: HTMLElement, tell: (code: string) => void) => Camera;

export function startDoor(root: HTMLElement, makeCamera: MakeCamera): void {
  new DoorPage(root, makeCamera);
}

class DoorPage {
  private readonly root: HTMLElement;
  private readonly camera: Camera;
  private busy = false;

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
    if (!this.busy) void this.send(form, event.submitter);
  }

  private async send(form: HTMLFormElement, pressed: HTMLElement | null): Promise<void> {
    const data = new FormData(form);
    if (pressed instanceof HTMLButtonElement && pressed.name) data.set(pressed.name, pressed.value);
    this.setBusy(true);
    this.camera.pause();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: data,
        signal: AbortSignal.timeout(PATIENCE),
      });
      await this.read(answer);
    } catch {
      // The form keeps its scan's identity: pressed again, it is the same scan and counts once.
      this.tell(this.root.dataset["textOffline"] ?? "");
    } finally {
      this.setBusy(false);
      this.afterwards();
    }
  }

  private async read(answer: Response): Promise<void> {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!page.querySelector("[data-door]")) {
      // Another page: the login when the evening's session is over, or an error that says what.
      if (answer.redirected) location.assign(answer.url);
      else this.tell(page.querySelector("main")?.textContent?.trim() ?? answer.statusText);
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
    if (!(event.target as Element).closest("[data-next]")) return;
    event.preventDefault();
    this.find("#verdict").replaceChildren();
    this.afterwards();
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
    // A hand scanner types into the field; a phone with its camera on needs no keyboard.
    if (!this.camera.isOn) this.code.focus({ preventScroll: true });
  }

  private tell(words: string): void {
    const box = document.createElement("p");
    box.className = "message wrong";
    box.setAttribute("role", "alert");
    box.textContent = words;
    this.find("#told").replaceChildren(box);
    box.scrollIntoView({ block: "center" });
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
