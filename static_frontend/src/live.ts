/** Entry point of the back office's pages that update themselves, or give something to copy. */

import { enableCopyButtons } from "./copy-buttons.ts";
import { LivePage } from "./live-page.ts";
import { PartyList } from "./office/party-list.ts";

if (document.querySelector("[data-live]")) new LivePage(() => location.reload());
enableCopyButtons(document);
const parties = document.querySelector<HTMLElement>("[data-parties]");
if (parties) new PartyList(parties);
// On a phone the list comes first, and the figures when they are asked for.
const figures = document.querySelector<HTMLDetailsElement>("details.figures");
if (figures && matchMedia("(max-width: 48rem)").matches) figures.open = false;
