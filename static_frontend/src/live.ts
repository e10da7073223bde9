/** Pages of the back office that keep themselves fresh while somebody looks at them. */

import { offerCopies } from "./copy.ts";
import { LivePage } from "./live-page.ts";

if (document.querySelector("[data-live]")) {
  new LivePage(() => location.reload());
  offerCopies(document);
}
