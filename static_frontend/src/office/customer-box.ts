/** Offers people who booked before while a name is typed: an editable combobox with a list (ARIA 1.2).
 *
 * What is typed is posted, never part of an address. Without an answer the form works as it is.
 */

interface Customer {
  name: string;
  email: string;
  locale: string;
  about: string;
}

/** Milliseconds after the last key before the server is asked. */
const PAUSE = 120;

export class CustomerBox {
  private readonly form: HTMLFormElement;
  private readonly name: HTMLInputElement;
  private readonly list: HTMLElement;
  private found: Customer[] = [];
  private active = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;

  constructor(form: HTMLFormElement) {
    this.form = form;
    this.name = this.field("name");
    this.list = form.querySelector<HTMLElement>("#customers") as HTMLElement;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", form.dataset["found"] ?? "");
    for (const [attribute, value] of [
      ["role", "combobox"],
      ["aria-autocomplete", "list"],
      ["aria-controls", this.list.id],
      ["aria-expanded", "false"],
    ] as const) {
      this.name.setAttribute(attribute, value);
    }
    this.name.addEventListener("input", () => this.typed());
    this.name.addEventListener("keydown", (event) => this.press(event));
    this.name.addEventListener("blur", () => this.close());
    // Before the blur, which would close the list under the pointer.
    this.list.addEventListener("mousedown", (event) => this.point(event));
  }

  private field(name: string): HTMLInputElement {
    return this.form.elements.namedItem(name) as HTMLInputElement;
  }

  private typed(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), PAUSE);
  }

  private async ask(): Promise<void> {
    this.asking?.abort();
    this.asking = new AbortController();
    const typed = this.name.value;
    const body = new URLSearchParams({ typed, csrf_token: this.field("csrf_token").value });
    try {
      const answer = await fetch(this.form.dataset["customers"] ?? "", {
        method: "POST",
        body,
        signal: this.asking.signal,
      });
      const found = answer.ok ? ((await answer.json()) as Customer[]) : [];
      if (document.activeElement === this.name && this.name.value === typed) this.show(found);
    } catch {
      this.close();
    }
  }

  private show(found: Customer[]): void {
    this.found = found;
    this.active = -1;
    this.list.replaceChildren(...found.map((one, number) => option(one, number)));
    this.list.hidden = found.length === 0;
    this.name.setAttribute("aria-expanded", String(!this.list.hidden));
    this.name.removeAttribute("aria-activedescendant");
  }

  private close(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.show([]);
  }

  private press(event: KeyboardEvent): void {
    if (event.isComposing) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (this.found.length === 0) return;
      event.preventDefault();
      this.move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Escape" && this.found.length > 0) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Enter") {
      // A name alone is no booking yet: Enter leads on to the seats.
      event.preventDefault();
      const chosen = this.found[this.active];
      if (chosen) this.choose(chosen);
      else this.leadOn();
    }
  }

  private move(by: number): void {
    const options = [...this.list.children];
    options[this.active]?.setAttribute("aria-selected", "false");
    const before = this.active === -1 && by < 0 ? 0 : this.active;
    this.active = (before + by + options.length) % options.length;
    const now = options[this.active] as HTMLElement;
    now.setAttribute("aria-selected", "true");
    now.scrollIntoView?.({ block: "nearest" });
    this.name.setAttribute("aria-activedescendant", now.id);
  }

  private point(event: MouseEvent): void {
    event.preventDefault();
    const option = (event.target as HTMLElement).closest("[role=option]");
    const chosen = option ? this.found[[...this.list.children].indexOf(option)] : undefined;
    if (chosen) this.choose(chosen);
  }

  private choose(customer: Customer): void {
    this.name.value = customer.name;
    this.field("email").value = customer.email;
    (this.form.elements.namedItem("locale") as HTMLSelectElement).value = customer.locale;
    this.leadOn();
  }

  private leadOn(): void {
    this.close();
    const seats = this.field("seats");
    seats.focus();
    seats.select();
  }
}

function option(customer: Customer, number: number): HTMLElement {
  const item = document.createElement("li");
  item.id = `customer-${number}`;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  const about = document.createElement("small");
  about.textContent = customer.about;
  const name = document.createElement("bdi");
  name.textContent = customer.name;
  item.append(name, about);
  return item;
}
