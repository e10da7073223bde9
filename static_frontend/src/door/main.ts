/** The door app begins here. */

import { App } from "./app.ts";
import { keepShell } from "./shell.ts";
import { View } from "./view.ts";
import { Words } from "./words.ts";

if (isSecureContext) {
  const app = new App(document, Words.of(document));
  void app.start();
  void keepShell().catch(() => undefined);
} else {
  new View(document, () => {}).screen("insecure");
}
