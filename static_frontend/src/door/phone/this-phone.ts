/** The phone itself: its settings, PIN lock and kiosk mode. */

import { hideNames } from "../screen/hidden-names.ts";
import { Kiosk } from "./kiosk.ts";
import { LockScreen } from "./lock-screen.ts";
import { Settings } from "./settings.ts";
import type { Pressed, View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

/** Milliseconds that a kiosk shows the lock screen before it goes back to tickets. */
const ASKS_FOR_PIN = 20_000;

/** What the phone controls in the app. */
export interface DoorControl {
  /** Stop scanning and hide all names. */
  close(): void;
  open(): void;
  render(): void;
  /** End the session: delete the list, send queued actions. */
  giveUp(): Promise<void>;
}

export class ThisPhone {
  readonly kiosk: Kiosk;
  private readonly lockScreen: LockScreen;
  private readonly settings: Settings;
  private readonly view: View;
  private readonly texts: Texts;
  private readonly door: DoorControl;
  private asking: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Document, view: View, texts: Texts, door: DoorControl) {
    [this.view, this.texts, this.door] = [view, texts, door];
    this.lockScreen = new LockScreen(view, texts, { locked: () => door.close(), opened: () => this.opened() });
    this.kiosk = new Kiosk(view, () => this.lockScreen.hasPin, () => this.leaveKiosk());
    this.settings = new Settings(view, () => this.chosen());
    for (const what of ["pointerdown", "keydown"]) page.addEventListener(what, () => this.touched());
    this.chosen();
    this.showPin();
  }

  /** At the start of the app: lock it if there is a PIN. A kiosk shows no names, and continues unlocked. */
  start(): void {
    if (!this.kiosk.isOn) this.lockScreen.lockNow();
  }

  get isCovered(): boolean {
    return this.lockScreen.isCovered;
  }

  touched(): void {
    const isGuarded = this.lockScreen.hasPin && !this.kiosk.isOn && !this.isCovered;
    this.lockScreen.touched(isGuarded ? this.settings.current.locksAfter : 0);
  }

  /** The page is visible again. */
  woke(): void {
    this.lockScreen.woke();
  }

  /** The user has a new invitation from staff, so may see names: hide the lock screen. */
  invited(): void {
    this.lockScreen.uncover();
  }

  joined(): void {
    this.kiosk.leave();
    if (this.lockScreen.isLocked) this.lockScreen.remove();
    this.showPin();
  }

  /** The session has ended: leave the kiosk, and lock, so that visitors cannot delete queued actions. */
  ended(): void {
    if (!this.kiosk.isOn) return;
    this.kiosk.leave();
    this.lockScreen.lockNow();
  }

  /** There is no invitation: show the lock screen again if locked. */
  uninvited(): void {
    if (this.lockScreen.isLocked && !this.kiosk.isOn && !this.isCovered) this.lockScreen.cover();
  }

  /** Handle a button of the sheet; returns whether it was one. */
  async pressed({ act, about }: Pressed): Promise<boolean> {
    switch (act) {
      case "try":
        this.settings.try(about);
        return true;
      case "set-pin":
        await this.setPin();
        return true;
      case "remove-pin":
        this.lockScreen.remove();
        this.showPin();
        return true;
      case "lock":
        this.lockScreen.lockNow();
        return true;
      case "unlock":
        await this.lockScreen.unlock();
        return true;
      case "forget-pin":
        await this.forget();
        return true;
      case "kiosk":
        this.view.closeSheets();
        this.lockScreen.lockBehind();
        this.kiosk.enter();
        // A kiosk never locks itself: stop the idle timer.
        this.touched();
        this.door.open();
        return true;
      case "kiosk-back":
        this.backToKiosk();
        return true;
      default:
        return false;
    }
  }

  private chosen(): void {
    hideNames(this.settings.current.hidesNames);
    this.touched();
    this.door.render();
  }

  private opened(): void {
    clearTimeout(this.asking);
    this.kiosk.leave();
    this.touched();
    this.door.open();
  }

  private leaveKiosk(): void {
    if (!this.lockScreen.hasPin) return this.opened();
    this.lockScreen.cover();
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.backToKiosk(), ASKS_FOR_PIN);
  }

  private backToKiosk(): void {
    clearTimeout(this.asking);
    if (!this.kiosk.isOn) return;
    this.lockScreen.uncover();
    this.door.open();
  }

  private async setPin(): Promise<void> {
    const field = this.view.find<HTMLInputElement>("#new-pin");
    const isSet = await this.lockScreen.set(field.value);
    if (isSet) field.value = "";
    this.view.setText("pin-trouble", isSet ? undefined : this.texts.get("pin.none"));
    this.showPin();
    this.touched();
  }

  /** The PIN is forgotten: delete the list, keep queued actions. Staff must enrol the phone again. */
  private async forget(): Promise<void> {
    await this.door.giveUp();
    this.lockScreen.remove();
    this.kiosk.leave();
    this.lockScreen.uncover();
    this.showPin();
  }

  private showPin(): void {
    this.view.show("pin-none", !this.lockScreen.hasPin);
    this.view.show("pin-set", this.lockScreen.hasPin);
  }
}
