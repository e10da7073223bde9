/** Solves the form's challenge (bookings/crowd/proof_of_work.py) while somebody types.
 *
 * A form that is sent before it is solved waits for it. Without a solution, as in a browser that can compute none, the
 * form is sent all the same: the server then holds no seats until the booking is confirmed.
 */

import type { Challenge, Solution } from "altcha-lib";

/** Milliseconds that a sent form waits. */
const PATIENCE = 30_000;

export function solveChallenges(page: Document, makeWorker: () => Worker): void {
  for (const input of page.querySelectorAll<HTMLInputElement>("input[data-challenge]")) {
    new Proof(input, makeWorker);
  }
}

class Proof {
  private readonly input: HTMLInputElement;
  private readonly button: HTMLButtonElement | null;
  private readonly words: string;
  private done = false;
  private sent = false;

  constructor(input: HTMLInputElement, makeWorker: () => Worker) {
    this.input = input;
    this.button = input.form?.querySelector("button:not([type=button])") ?? null;
    this.words = this.button?.textContent ?? "";
    // Before the form's other listeners: for them it is not sent yet.
    input.ownerDocument.addEventListener("submit", (event) => this.submit(event), { capture: true });
    try {
      this.solve(makeWorker());
    } catch {
      this.finish();
    }
  }

  private solve(worker: Worker): void {
    const challenge = JSON.parse(this.input.dataset["challenge"] ?? "") as Challenge;
    worker.addEventListener("message", (event: MessageEvent<Solution | null>) => {
      if (event.data) this.input.value = btoa(JSON.stringify({ challenge, solution: event.data }));
      this.finish();
      worker.terminate();
    });
    worker.addEventListener("error", () => this.finish());
    worker.postMessage(challenge);
  }

  private submit(event: SubmitEvent): void {
    if (this.done || event.target !== this.input.form) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.sent) return;
    this.sent = true;
    this.show(this.input.form?.dataset["once"] ?? this.words, "true");
    setTimeout(() => this.finish(), PATIENCE);
  }

  private finish(): void {
    if (this.done) return;
    this.done = true;
    if (!this.sent) return;
    this.show(this.words, "false");
    this.input.form?.requestSubmit();
  }

  private show(words: string, disabled: string): void {
    if (!this.button) return;
    this.button.textContent = words;
    this.button.setAttribute("aria-disabled", disabled);
  }
}

const work = (): Worker => new Worker(new URL("./proof-worker.ts", import.meta.url), { type: "module" });
solveChallenges(document, work);
