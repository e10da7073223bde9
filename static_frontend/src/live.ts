/** Entry point of the back office's pages that update themselves, or give something to copy. */

import { enableCopyButtons } from "./copy-buttons.ts";
import { LivePage } from "./live-page.ts";
import { PartyList } from "./office/party-list.ts";

const live = document.querySelector<HTMLElement>("[data-live]");
// `data-live` may name the seconds from one update to the next.
if (live) new LivePage(() => location.reload(), Number(live.dataset["live"]) * 1_000 || undefined);
enableCopyButtons(document);
const parties = document.querySelector<HTMLElement>("[data-parties]");
if (parties) new PartyList(parties);
// On a phone the list comes first, and the figures when they are asked for.
const figures = document.querySelector<HTMLDetailsElement>("details.figures");
if (figures && matchMedia("(max-width: 48rem)").matches) figures.open = false;
