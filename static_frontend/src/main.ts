/** What every page gets when scripts run; without them everything works as well. */

import { guardForms } from "./once.ts";

guardForms(document);
document.querySelector<HTMLElement>("[data-focus]")?.focus();
