/** Settings of this phone, stored on it only. */

import { storeItem, readItem } from "../sync/local-storage.ts";
import { playAs, signal, SOUNDS, type Sound } from "../screen/signals.ts";
import type { View } from "../screen/view.ts";

const KEPT = "azionelab.door.settings";

export interface PhoneSettings {
  readonly sound: Sound;
  /** Percent. */
  readonly volume: number;
  readonly vibrates: boolean;
  readonly hidesNames: boolean;
  /** Idle minutes after which a phone with a PIN locks itself; 0 is never. */
  readonly locksAfter: number;
}

const DEFAULTS: PhoneSettings = { sound: "beeps", volume: 80, vibrates: true, hidesNames: false, locksAfter: 5 };

/** Read the stored settings; invalid values are replaced by defaults. */
export function readSettings(): PhoneSettings {
  let kept: Partial<Record<keyof PhoneSettings, unknown>>;
  try {
    kept = Object(JSON.parse(readItem(KEPT) || "{}")) as typeof kept;
  } catch {
    return DEFAULTS;
  }
  const { sound, volume, vibrates, hidesNames, locksAfter } = kept;
  const isBetween = (said: unknown, most: number): said is number =>
    typeof said === "number" && said >= 0 && said <= most;
  return {
    sound: SOUNDS.includes(sound as Sound) ? (sound as Sound) : DEFAULTS.sound,
    volume: isBetween(volume, 100) ? volume : DEFAULTS.volume,
    vibrates: typeof vibrates === "boolean" ? vibrates : DEFAULTS.vibrates,
    hidesNames: typeof hidesNames === "boolean" ? hidesNames : DEFAULTS.hidesNames,
    locksAfter: isBetween(locksAfter, 24 * 60) ? locksAfter : DEFAULTS.locksAfter,
  };
}

/** The form in the sheet "This phone". */
export class Settings {
  current: PhoneSettings = readSettings();
  private readonly form: HTMLFormElement;
  private readonly changed: () => void;

  /** `changed` is called after each change. */
  constructor(view: View, changed: () => void) {
    this.form = view.find<HTMLFormElement>("[data-settings]");
    this.changed = changed;
    playAs(this.current);
    this.write();
    this.form.addEventListener("change", () => this.read());
    // iPhones, among others, cannot vibrate.
    view.show("vibration", typeof (navigator.vibrate as unknown) === "function");
  }

  /** Play a signal with the chosen settings. */
  try(tone: string): void {
    signal(tone);
  }

  private write(): void {
    const { sound, volume, vibrates, hidesNames, locksAfter } = this.current;
    this.field<HTMLSelectElement>("sound").value = sound;
    this.field("volume").value = `${volume}`;
    this.field("vibrates").checked = vibrates;
    this.field("hidesNames").checked = hidesNames;
    this.field<HTMLSelectElement>("locksAfter").value = `${locksAfter}`;
  }

  private read(): void {
    this.current = {
      sound: this.field<HTMLSelectElement>("sound").value as Sound,
      volume: Number(this.field("volume").value),
      vibrates: this.field("vibrates").checked,
      hidesNames: this.field("hidesNames").checked,
      locksAfter: Number(this.field<HTMLSelectElement>("locksAfter").value),
    };
    storeItem(KEPT, JSON.stringify(this.current));
    playAs(this.current);
    this.changed();
  }

  private field<Field extends HTMLElement = HTMLInputElement>(name: keyof PhoneSettings): Field {
    return this.form.querySelector<Field>(`[name="${name}"]`)!;
  }
}
