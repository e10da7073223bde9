/** Entry point of the door app. */

import { App } from "./app.ts";
import { keepShell } from "./app-cache.ts";
import { View } from "./screen/view.ts";
import { Texts } from "./screen/texts.ts";

if (isSecureContext) {
  const app = new App(document, Texts.of(document));
  void app.start();
  void keepShell().catch(() => undefined);
} else {
  new View(document, () => {}).screen("insecure");
}
