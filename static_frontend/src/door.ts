/** The door's page: scans are sent without leaving it, so that the camera stays on. */

import { CameraPanel } from "./camera.ts";
import { startDoor } from "./door-page.ts";

const root = document.querySelector<HTMLElement>("[data-door]");
if (root) startDoor(root, (panel, tell) => new CameraPanel(panel, tell));
