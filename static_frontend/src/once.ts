/** Forms marked data-once are sent once, however often their button is pressed.
 *
 * The server counts a form sent twice once anyway; this saves the person the doubt. The button is
 * not `disabled`: it would lose the focus, and a screen reader would lose the button.
 */

/** Milliseconds after which a form that got no answer may be pressed again. */
export const PATIENCE = 10_000;

export function guardForms(page: Document): void {
  for (const form of page.querySelectorAll<HTMLFormElement>("form[data-once]")) {
    const guard = new Guard(form);
    // A page that comes back from the back/forward cache still remembers that it was sent.
    page.defaultView?.addEventListener("pageshow", () => guard.release());
  }
}

class Guard {
  private readonly form: HTMLFormElement;
  private readonly button: HTMLButtonElement | null;
  private readonly words: string;
  private sent = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(form: HTMLFormElement) {
    this.form = form;
    this.button = form.querySelector("button:not([type=button])");
    this.words = this.button?.textContent ?? "";
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
    this.show(this.form.dataset["once"] ?? this.words, "true");
    this.timer = setTimeout(() => this.release(), PATIENCE);
  }

  private show(words: string, disabled: string): void {
    if (this.button) {
      this.button.textContent = words;
      this.button.setAttribute("aria-disabled", disabled);
    }
  }
}
