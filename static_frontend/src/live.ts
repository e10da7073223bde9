/** Entry point of the back office's pages that update themselves. */

import { enableCopyButtons } from "./copy-buttons.ts";
import { LivePage } from "./live-page.ts";

if (document.querySelector("[data-live]")) {
  new LivePage(() => location.reload());
  enableCopyButtons(document);
}
