/** What whoever holds the phone has chosen for it: kept on it, and told to nobody. */

import { keep, readKept } from "./kept.ts";
import { playAs, signal, SOUNDS, type Sound } from "./signals.ts";
import type { View } from "./view.ts";

const KEPT = "azionelab.door.settings";

export interface Choice {
  readonly sound: Sound;
  /** Percent. */
  readonly volume: number;
  readonly vibrates: boolean;
  readonly hidesNames: boolean;
  /** Minutes without a touch or a scan after which a phone with a PIN locks itself; 0 is never. */
  readonly locksAfter: number;
}

const USUAL: Choice = { sound: "beeps", volume: 80, vibrates: true, hidesNames: false, locksAfter: 5 };

/** Read what was chosen; what makes no sense is as if it had not been. */
export function readChoice(): Choice {
  let kept: Partial<Record<keyof Choice, unknown>>;
  try {
    kept = Object(JSON.parse(readKept(KEPT) || "{}")) as typeof kept;
  } catch {
    return USUAL;
  }
  const { sound, volume, vibrates, hidesNames, locksAfter } = kept;
  const isBetween = (said: unknown, most: number): said is number =>
    typeof said === "number" && said >= 0 && said <= most;
  return {
    sound: SOUNDS.includes(sound as Sound) ? (sound as Sound) : USUAL.sound,
    volume: isBetween(volume, 100) ? volume : USUAL.volume,
    vibrates: typeof vibrates === "boolean" ? vibrates : USUAL.vibrates,
    hidesNames: typeof hidesNames === "boolean" ? hidesNames : USUAL.hidesNames,
    locksAfter: isBetween(locksAfter, 24 * 60) ? locksAfter : USUAL.locksAfter,
  };
}

/** The sheet "This phone". */
export class Settings {
  choice: Choice = readChoice();
  private readonly form: HTMLFormElement;
  private readonly changed: () => void;

  /** `changed` is called when something was chosen. */
  constructor(view: View, changed: () => void) {
    this.form = view.find<HTMLFormElement>("[data-settings]");
    this.changed = changed;
    playAs(this.choice);
    this.write();
    this.form.addEventListener("change", () => this.read());
    // A phone that cannot vibrate, such as an iPhone, does not offer it.
    view.show("vibration", typeof (navigator.vibrate as unknown) === "function");
  }

  /** Let whoever chose hear and feel it. */
  try(tone: string): void {
    signal(tone);
  }

  private write(): void {
    const { sound, volume, vibrates, hidesNames, locksAfter } = this.choice;
    this.field<HTMLSelectElement>("sound").value = sound;
    this.field("volume").value = `${volume}`;
    this.field("vibrates").checked = vibrates;
    this.field("hidesNames").checked = hidesNames;
    this.field<HTMLSelectElement>("locksAfter").value = `${locksAfter}`;
  }

  private read(): void {
    this.choice = {
      sound: this.field<HTMLSelectElement>("sound").value as Sound,
      volume: Number(this.field("volume").value),
      vibrates: this.field("vibrates").checked,
      hidesNames: this.field("hidesNames").checked,
      locksAfter: Number(this.field<HTMLSelectElement>("locksAfter").value),
    };
    keep(KEPT, JSON.stringify(this.choice));
    playAs(this.choice);
    this.changed();
  }

  private field<Field extends HTMLElement = HTMLInputElement>(name: keyof Choice): Field {
    return this.form.querySelector<Field>(`[name="${name}"]`)!;
  }
}
