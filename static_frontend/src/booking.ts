/** Entry point of the forms of a booking and of the waitlist: seats left as they change, and entries checked before they are sent. */

import { checkEntries } from "./booking/entry-checks.ts";
import { keepSeatsFresh } from "./booking/seats-left.ts";

checkEntries(document);
keepSeatsFresh(document);
