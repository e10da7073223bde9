/** The form that books for somebody: earlier customers while typing, the reason where it is asked for. */

import { CustomerBox } from "./customer-box.ts";

const form = document.querySelector<HTMLFormElement>("form[data-customers]");
if (form) {
  new CustomerBox(form);
  askForReason(form);
  const name = form.elements.namedItem("name") as HTMLInputElement;
  // The next caller waits; a message about the form has the focus of its own.
  if (!form.querySelector("[data-focus]")) {
    (form.querySelector<HTMLElement>("[aria-invalid=true]") ?? name).focus({ preventScroll: true });
  }
}

/** Shows the field for the reason as soon as a party is larger than the limit. */
function askForReason(form: HTMLFormElement): void {
  const seats = form.elements.namedItem("seats") as HTMLInputElement;
  const more = form.querySelector<HTMLDetailsElement>("details.more");
  seats.addEventListener("input", () => {
    if (more && Number(seats.value) > Number(form.dataset["limit"])) more.open = true;
  });
}
