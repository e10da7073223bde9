/** The pages of a show's pictures: a file that is too large is refused before it is sent, and the focal point pressed. */

/** Say at a file's field that it is too large, as the server would after the whole upload. */
export function refuseLargeFiles(page: ParentNode): void {
  for (const field of page.querySelectorAll<HTMLInputElement>("input[type=file][data-most]")) {
    field.addEventListener("change", () => {
      const size = field.files?.[0]?.size ?? 0;
      const isTooLarge = size > Number(field.dataset["most"]);
      field.setCustomValidity(isTooLarge ? (field.dataset["tooLarge"] ?? "") : "");
      if (isTooLarge) {
        field.reportValidity();
        field.value = "";
        field.setCustomValidity("");
      }
    });
  }
}

/** Let a press on the picture set the two fields of its focal point; the lines follow the fields. */
export function followFocalPoint(page: ParentNode): void {
  const picture = page.querySelector<HTMLElement>("[data-focal]");
  const left = page.querySelector<HTMLInputElement>("#focal_x");
  const top = page.querySelector<HTMLInputElement>("#focal_y");
  if (!picture || !left || !top) return;
  const draw = (): void => {
    for (const end of ["x1", "x2"]) picture.querySelector(".focal-x")?.setAttribute(end, left.value || "50");
    for (const end of ["y1", "y2"]) picture.querySelector(".focal-y")?.setAttribute(end, top.value || "50");
  };
  picture.addEventListener("click", (event) => {
    const box = picture.getBoundingClientRect();
    left.value = String(percent(event.clientX - box.left, box.width));
    top.value = String(percent(event.clientY - box.top, box.height));
    draw();
  });
  left.addEventListener("input", draw);
  top.addEventListener("input", draw);
  picture.classList.add("can-press");
  page.querySelector("[data-focal-hint]")?.removeAttribute("hidden");
}

function percent(part: number, whole: number): number {
  return Math.min(100, Math.max(0, Math.round((100 * part) / (whole || 1))));
}

refuseLargeFiles(document);
followFocalPoint(document);
