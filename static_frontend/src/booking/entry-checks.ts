/** Says what is wrong with an entry when somebody leaves it, as the server would say it of the sent form.
 *
 * Only of what was typed: an empty field may still be filled in. The text is the field's `data-wrong`.
 */

export function checkEntries(page: Document): void {
  const afterPress = pressesOf(page);
  for (const field of page.querySelectorAll<HTMLInputElement>("input[data-wrong]")) {
    field.addEventListener("blur", () => afterPress(() => mark(field, isWrong(field))));
    // Who corrects it sees at once that it is right.
    field.addEventListener("input", () => {
      if (!isWrong(field)) mark(field, false);
    });
  }
}

/** Runs something now or, while a button or a box is being pressed, after that: a text that appears meanwhile would move
 * it away, and the press would miss it. */
function pressesOf(page: Document): (then: () => void) => void {
  let isPressed = false;
  let waiting: (() => void)[] = [];
  const release = (): void => {
    isPressed = false;
    const due = waiting;
    waiting = [];
    // The click comes first.
    if (due.length) setTimeout(() => due.forEach((then) => then()));
  };
  page.addEventListener("pointerdown", () => (isPressed = true), true);
  page.addEventListener("pointerup", release, true);
  page.addEventListener("pointercancel", release, true);
  return (then) => (isPressed ? void waiting.push(then) : then());
}

function isWrong(field: HTMLInputElement): boolean {
  return field.value !== "" && (field.value.trim() === "" || !field.validity.valid);
}

function mark(field: HTMLInputElement, wrong: boolean): void {
  const id = `${field.id}-error`;
  const described = (field.getAttribute("aria-describedby") ?? "").split(" ").filter((each) => each && each !== id);
  field.ownerDocument.getElementById(id)?.remove();
  if (wrong) {
    const error = field.ownerDocument.createElement("p");
    error.id = id;
    error.className = "field-error";
    error.setAttribute("role", "alert");
    error.textContent = field.dataset["wrong"] ?? "";
    field.before(error);
    field.setAttribute("aria-invalid", "true");
    described.push(id);
  } else field.removeAttribute("aria-invalid");
  if (described.length) field.setAttribute("aria-describedby", described.join(" "));
  else field.removeAttribute("aria-describedby");
}
