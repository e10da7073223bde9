/** The PIN of the app on this phone: stores a slow hash of it, and the number of wrong tries.
 *
 * It protects against curious hands. It does not encrypt the stored data (docs/door-app.md).
 */

import { storeItem, readItem } from "../sync/local-storage.ts";

const KEPT = "azionelab.door.pin";
/** Rounds of PBKDF2 with SHA-256, as OWASP advised in 2023: half a second on a phone. */
const ROUNDS = 600_000;
/** Wrong PINs without a pause. */
const FREE_TRIES = 3;
const [FIRST_PAUSE, LONGEST_PAUSE] = [5_000, 3_600_000]; // milliseconds
export const PIN = /^[0-9]{4,8}$/;

interface Kept {
  readonly salt: string;
  readonly rounds: number;
  readonly hash: string;
  readonly isLocked: boolean;
  readonly wrong: number;
  /** The time of the last try, by the phone's clock. */
  readonly triedAt: number;
}

export class PinLock {
  private kept: Kept | undefined = readLock();
  private readonly rounds: number;

  constructor(rounds = ROUNDS) {
    this.rounds = rounds;
  }

  get hasPin(): boolean {
    return this.kept !== undefined;
  }

  get isLocked(): boolean {
    return this.kept?.isLocked === true;
  }

  /** Milliseconds until the next try; each wrong PIN doubles the pause. */
  get pause(): number {
    if (!this.kept) return 0;
    const { wrong, triedAt } = this.kept;
    if (wrong < FREE_TRIES) return 0;
    const pause = Math.min(FIRST_PAUSE * 2 ** (wrong - FREE_TRIES), LONGEST_PAUSE);
    // If the phone's clock is set back, the pause is at most its full length.
    return Math.min(pause, Math.max(0, triedAt + pause - Date.now()));
  }

  async set(pin: string): Promise<void> {
    const salt = crypto.getRandomValues(new Uint8Array(16));
    const hash = await hashOf(pin, salt, this.rounds);
    this.write({ salt: encode(salt), rounds: this.rounds, hash, isLocked: false, wrong: 0, triedAt: 0 });
  }

  remove(): void {
    this.kept = undefined;
    storeItem(KEPT, "");
  }

  lock(): void {
    if (this.kept) this.write({ ...this.kept, isLocked: true });
  }

  /** Unlock with a PIN; returns whether it was right. Always false during a pause. */
  async open(pin: string): Promise<boolean> {
    // Another tab may have counted tries.
    this.kept = readLock() ?? this.kept;
    if (!this.kept || this.pause > 0) return false;
    // Count the try before checking it, so that killing the app does not save it.
    const tried = { ...this.kept, wrong: this.kept.wrong + 1, triedAt: Date.now() };
    this.write(tried);
    const isRight = (await hashOf(pin, decode(tried.salt), tried.rounds)) === tried.hash;
    if (isRight) this.write({ ...tried, isLocked: false, wrong: 0, triedAt: 0 });
    return isRight;
  }

  private write(kept: Kept): void {
    this.kept = kept;
    storeItem(KEPT, JSON.stringify(kept));
  }
}

function readLock(): Kept | undefined {
  try {
    const kept = JSON.parse(readItem(KEPT)) as Kept;
    return typeof kept.hash === "string" ? kept : undefined;
  } catch {
    return undefined;
  }
}

async function hashOf(pin: string, salt: Uint8Array<ArrayBuffer>, iterations: number): Promise<string> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(pin), "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations };
  return encode(new Uint8Array(await crypto.subtle.deriveBits(how, key, 256)));
}

function encode(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
