/** Entry point of the booking form: seats left as they change, and entries checked before they are sent. */

import { checkEntries } from "./booking/entry-checks.ts";
import { keepSeatsFresh } from "./booking/seats-left.ts";

checkEntries(document);
keepSeatsFresh(document);
