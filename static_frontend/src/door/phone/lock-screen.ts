/** The lock screen. Behind it the app goes on sending queued actions. */

import { PinLock, PIN } from "./pin-lock.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

/** Callbacks for locking and unlocking. */
export interface LockListener {
  locked(): void;
  opened(): void;
}

export class LockScreen {
  private readonly lock = new PinLock();
  private readonly view: View;
  private readonly texts: Texts;
  private readonly door: LockListener;
  /** The lock screen is shown. */
  isCovered = false;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** When it locks itself, by the phone's clock. */
  private locksAt = Infinity;
  private paused: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View, texts: Texts, door: LockListener) {
    this.view = view;
    this.texts = texts;
    this.door = door;
  }

  get hasPin(): boolean {
    return this.lock.hasPin;
  }

  get isLocked(): boolean {
    return this.lock.isLocked;
  }

  lockNow(): void {
    this.startIdleTimer(0);
    this.lockBehind();
    if (this.lock.isLocked) this.cover();
  }

  /** Lock without showing the lock screen: for a kiosk, which is shown instead. */
  lockBehind(): void {
    this.lock.lock();
  }

  /** Show the lock screen. */
  cover(): void {
    this.isCovered = true;
    this.view.closeSheets();
    this.door.locked();
    this.view.cover(true);
    this.say(undefined);
    this.awaitPause();
  }

  /** Hide the lock screen, locked or not. */
  uncover(): void {
    this.isCovered = false;
    this.view.cover(false);
  }

  /** The phone is in use: restart the idle timer; 0 minutes is never. */
  touched(minutes: number): void {
    if (minutes > 0 && this.isIdle) this.lockNow();
    else this.startIdleTimer(minutes);
  }

  /** Lock after sleep if the idle time has passed: timers stop while a phone sleeps. */
  woke(): void {
    if (this.isIdle) this.lockNow();
  }

  private get isIdle(): boolean {
    return Date.now() >= this.locksAt;
  }

  private startIdleTimer(minutes: number): void {
    clearTimeout(this.idleTimer);
    this.locksAt = minutes > 0 ? Date.now() + minutes * 60_000 : Infinity;
    if (minutes > 0) this.idleTimer = setTimeout(() => this.lockNow(), minutes * 60_000);
  }

  /** Set a new PIN; returns whether it is valid. */
  async set(pin: string): Promise<boolean> {
    const isPin = PIN.test(pin);
    if (isPin) await this.lock.set(pin);
    return isPin;
  }

  remove(): void {
    this.lock.remove();
  }

  async unlock(): Promise<void> {
    const field = this.view.find<HTMLInputElement>("#unlock-pin");
    const pin = field.value;
    field.value = "";
    // Tickets typed by a hand scanner do not count as tries: a queue of them would lock the phone for an hour.
    if (PIN.test(pin) && (await this.lock.open(pin))) {
      this.uncover();
      this.door.opened();
      return;
    }
    this.say("lock.wrong");
    this.awaitPause();
    field.focus();
  }

  /** After too many wrong PINs block the field for a while. */
  private awaitPause(): void {
    clearTimeout(this.paused);
    const { pause } = this.lock;
    this.view.enable("try-pin", pause === 0);
    if (pause === 0) return;
    const seconds = Math.ceil(pause / 1_000);
    this.view.setText("lock-trouble", this.texts.get("lock.pause", { num: seconds }));
    this.paused = setTimeout(() => {
      this.say(undefined);
      this.view.enable("try-pin", true);
    }, pause);
  }

  private say(name: string | undefined): void {
    this.view.setText("lock-trouble", name && this.texts.get(name));
  }
}
