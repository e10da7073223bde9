/** The season's pages: a box that ticks all evenings of a list, and a file that is read into a field. */

for (const list of document.querySelectorAll<HTMLTableElement>("table[data-tick-all]")) {
  const boxes = [...list.querySelectorAll<HTMLInputElement>("tbody input[type=checkbox]")];
  const head = list.querySelector("thead th");
  if (!head || boxes.length < 2) continue;
  const all = document.createElement("input");
  all.type = "checkbox";
  const label = document.createElement("label");
  label.className = "tick";
  label.append(all, ` ${list.dataset["tickAll"] ?? ""}`);
  head.replaceChildren(label);
  const show = (): void => {
    const ticked = boxes.filter((box) => box.checked).length;
    all.checked = ticked === boxes.length;
    all.indeterminate = ticked > 0 && !all.checked;
  };
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  list.addEventListener("change", show);
  show();
}

for (const choice of document.querySelectorAll<HTMLElement>("[data-reads]")) {
  const input = choice.querySelector("input");
  const field = document.querySelector<HTMLTextAreaElement>(`#${choice.dataset["reads"] ?? ""}`);
  if (!input || !field) continue;
  choice.hidden = false;
  input.addEventListener("change", () => {
    void input.files?.[0]?.text().then((text) => (field.value = text));
  });
}
