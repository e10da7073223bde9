/** What every page gets when scripts run; without them everything works as well. */

import { guardForms } from "./once.ts";

guardForms(document);
const first = document.querySelector<HTMLElement>("[data-focus]");
first?.focus({ preventScroll: first.dataset["focus"] === "still" });
