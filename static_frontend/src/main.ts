/** Entry point of every page. All pages also work without scripts. */

import { preventDoubleSubmits } from "./submit-once.ts";

preventDoubleSubmits(document);
const first = document.querySelector<HTMLElement>("[data-focus]");
first?.focus({ preventScroll: first.dataset["focus"] === "still" });
