/** Signed tickets as made by azionelab/bookings/tickets/signing.py, with tests/checkin/tickets.json as examples. */

/** A parsed ticket; `isGenuine` verifies it. */
export interface SignedTicket {
  readonly performanceId: number;
  readonly reference: string;
  readonly message: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** Verify the signature of a message. */
export type Verify = (
  signature: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
  key: Uint8Array<ArrayBuffer>,
) => Promise<boolean>;

const TICKET = /(?:^|\/)([0-9]{133})\/([0-9]{43})$/;
const PURPOSE = new TextEncoder().encode("azionelab/signed-ticket/1/");
/** Bytes of the performance id, the reference and the signature. */
const [PERFORMANCE, REFERENCE, SIGNATURE] = [4, 5, 64];
const NAMED = PERFORMANCE + REFERENCE;
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Parse a signed ticket, alone or at the end of its address; undefined for any other code. */
export function readSigned(code: string): SignedTicket | undefined {
  const found = TICKET.exec(code.trim().replace(/\/+$/, ""));
  const raw = found && bytesOf(BigInt(found[1]! + found[2]!), NAMED + SIGNATURE);
  if (!raw) return undefined;
  return {
    performanceId: Number(numberOf(raw.subarray(0, PERFORMANCE))),
    reference: referenceOf(numberOf(raw.subarray(PERFORMANCE, NAMED))),
    message: new Uint8Array([...PURPOSE, ...raw.subarray(0, NAMED)]),
    signature: raw.slice(NAMED),
  };
}

/** Whether one of the theatre's `keys` (base64url) signed a ticket. */
export async function isGenuine(
  { message, signature }: SignedTicket,
  keys: readonly string[],
  verify: Verify = verifySignature,
): Promise<boolean> {
  for (const key of keys) {
    if (await verify(signature, message, decode(key))) return true;
  }
  return false;
}

/** With the browser's Ed25519 if it has one: Safari since 2023, Firefox since 2024, Chrome since 2025. */
async function verifySignature(...asked: Parameters<Verify>): Promise<boolean> {
  try {
    return await verifyNatively(...asked);
  } catch {
    return await verifyBundled(...asked);
  }
}

/** Rejects where the browser has no Ed25519. */
export const verifyNatively: Verify = async (signature, message, key) => {
  const known = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return await crypto.subtle.verify({ name: "Ed25519" }, known, signature, message);
};

export const verifyBundled: Verify = async (signature, message, key) => {
  const { verifyAsync } = await import("../ed25519.ts");
  return await verifyAsync(signature, message, key, { zip215: false });
};

function bytesOf(number: bigint, length: number): Uint8Array<ArrayBuffer> | undefined {
  const hex = number.toString(16).padStart(2 * length, "0");
  if (hex.length > 2 * length) return undefined;
  return Uint8Array.from({ length }, (_, n) => Number.parseInt(hex.slice(2 * n, 2 * n + 2), 16));
}

function numberOf(bytes: Uint8Array): bigint {
  return bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

function referenceOf(number: bigint): string {
  return Array.from({ length: 8 }, (_, n) => ALPHABET[Number((number >> BigInt(5 * (7 - n))) & 31n)]!).join("");
}

function decode(base64url: string): Uint8Array<ArrayBuffer> {
  const letters = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
}
