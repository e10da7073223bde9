/** Foreign codes: QR codes of wifi networks, posters, other systems' tickets, recognised by their form.
 *
 * The server has the same rule (azionelab/checkin/codes.py).
 */

import { isTicketOrReference } from "./party-list.ts";

// A truncated ticket is not foreign.
const ADDRESS = /\/(t\/[0-9]|checkin\/ticket\/)/i;

export function isForeign(code: string): boolean {
  return !isTicketOrReference(code) && !ADDRESS.test(code);
}
