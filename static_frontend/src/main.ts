/** Entry point of every page. All pages also work without scripts. */

import { preventDoubleSubmits } from "./submit-once.ts";

preventDoubleSubmits(document);
// The back office's forms are long: without this, a phone shows the top and not the field that is wrong.
const first =
  document.querySelector<HTMLElement>("[data-focus]") ??
  document.querySelector<HTMLElement>(".office-body [aria-invalid=true]");
// In a low window the menu at the side scrolls: the open page's entry comes into sight.
document.querySelector(".office-side .menu [aria-current]")?.scrollIntoView({ block: "nearest" });
first?.focus({ preventScroll: first.dataset["focus"] === "still" });
