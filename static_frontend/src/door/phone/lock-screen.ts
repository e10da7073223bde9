/** The page that covers the app while it is locked; what was done goes on being sent behind it. */

import { PinLock, PIN } from "./pin-lock.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

/** What happens at the door when its phone is locked, and when it is opened again. */
export interface LockListener {
  locked(): void;
  opened(): void;
}

export class LockScreen {
  private readonly lock = new PinLock();
  private readonly view: View;
  private readonly texts: Texts;
  private readonly door: LockListener;
  /** Nothing is seen but the page that asks for the PIN. */
  isCovered = false;
  private idleTimer: ReturnType<typeof setTimeout> | undefined;
  /** When it has rested for so long that it locks, by the phone's clock. */
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

  /** Be locked, with a kiosk before the lock. */
  lockBehind(): void {
    this.lock.lock();
  }

  /** Show the page that asks for the PIN. */
  cover(): void {
    this.isCovered = true;
    this.view.closeSheets();
    this.door.locked();
    this.view.cover(true);
    this.say(undefined);
    this.awaitPause();
  }

  /** Show what is below, locked or not: somebody was invited anew, or gave it up. */
  uncover(): void {
    this.isCovered = false;
    this.view.cover(false);
  }

  /** Somebody uses the phone: it locks itself so many minutes after the last time; 0 is never. */
  touched(minutes: number): void {
    if (minutes > 0 && this.isIdle) this.lockNow();
    else this.startIdleTimer(minutes);
  }

  /** Lock a phone that slept: its timers stood still meanwhile. */
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

  /** Keep a new PIN; whether it is one. */
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
    // A ticket that a hand scanner typed is no try: a queue of them would close the phone for an hour.
    if (PIN.test(pin) && (await this.lock.open(pin))) {
      this.uncover();
      this.door.opened();
      return;
    }
    this.say("lock.wrong");
    this.awaitPause();
    field.focus();
  }

  /** Too many wrong ones: nobody tries for a while. */
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
