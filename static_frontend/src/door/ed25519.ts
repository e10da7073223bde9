/** Ed25519 (RFC 8032) where the browser has none: five kilobytes that each phone keeps, and few run.
 *
 * A file of its own for the build: it is needed when there is no network to fetch it from.
 */

export { verifyAsync } from "@noble/ed25519";
