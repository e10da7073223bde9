/** Entry point of the page of one's place in a line: shows how it moves, and loads the page again when it is one's turn. */

import { watchLine } from "./booking/line.ts";

watchLine(document, () => location.reload());
