/** Submits forms with data-once once, however often their button is pressed.
 *
 * The server treats a second submission as the same one anyway; this shows the person that the first is on its
 * way. The button is not `disabled`: that would take the focus away, and hide it from screen readers.
 */

/** Milliseconds without an answer after which the form can be submitted again. */
export const TIMEOUT = 10_000;

export function preventDoubleSubmits(page: Document): void {
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-once]")) {
    const guard = new SubmitGuard(form);
    // A page restored from the back/forward cache still has the state "sent".
    page.defaultView?.addEventListener("pageshow", () => guard.release());
  }
}

class SubmitGuard {
  private readonly form: HTMLFormElement;
  /** The one that was pressed; a form may have several. */
  private button: HTMLElement | null = null;
  private words = "";
  private sent = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(form: HTMLFormElement) {
    this.form = form;
    form.addEventListener("submit", (event) => this.submit(event));
  }

  release(): void {
    clearTimeout(this.timer);
    this.sent = false;
    this.show(this.words, "false");
  }

  private submit(event: SubmitEvent): void {
    if (this.sent) {
      event.preventDefault();
      return;
    }
    this.sent = true;
    this.button = event.submitter ?? this.form.querySelector("button:not([type=button])");
    this.words = this.button?.textContent ?? "";
    this.show(this.form.dataset["once"] ?? this.words, "true");
    this.timer = setTimeout(() => this.release(), TIMEOUT);
  }

  private show(words: string, disabled: string): void {
    if (this.button) {
      this.button.textContent = words;
      this.button.setAttribute("aria-disabled", disabled);
    }
  }
}
