/** Ed25519 (RFC 8032) for browsers without it: five kilobytes, cached on every phone.
 *
 * A file of its own in the build, so that the service worker can cache it: it is needed offline.
 */

export { verifyAsync } from "@noble/ed25519";
