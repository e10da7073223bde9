/** Kiosk mode: a phone or tablet on a stand, which visitors use by themselves.
 *
 * It lets in parties with a valid ticket, sends everybody else to the staff, and shows no names.
 */

import type { Card } from "../screen/cards.ts";
import type { ScanResult } from "../rules/scan-result.ts";
import { storeItem, readItem } from "../sync/local-storage.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

const KEPT = "azionelab.door.kiosk";
/** Milliseconds that a card stays before the kiosk takes the next ticket. */
const [GOOD_STAYS, OTHER_STAYS] = [3_500, 5_000];
/** Milliseconds to hold the corner to leave a kiosk without a PIN. */
const HELD = 2_000;

export class Kiosk {
  isOn = readItem(KEPT) === "yes";
  private readonly view: View;

  /** `left` is called when staff leave the kiosk: by pressing its corner if `isGuarded`, otherwise by holding it. */
  constructor(view: View, isGuarded: () => boolean, left: () => void) {
    this.view = view;
    const corner = view.find("[data-kiosk-exit]");
    let holding: ReturnType<typeof setTimeout> | undefined;
    const hold = () => {
      if (isGuarded()) return left();
      clearTimeout(holding);
      holding = setTimeout(left, HELD);
    };
    const letGo = () => clearTimeout(holding);
    corner.addEventListener("pointerdown", hold);
    for (const end of ["pointerup", "pointerleave", "pointercancel"]) corner.addEventListener(end, letGo);
    corner.addEventListener("keydown", (event) => {
      if (!event.repeat && ["Enter", " "].includes(event.key)) hold();
    });
    corner.addEventListener("keyup", letGo);
    this.show();
  }

  enter(): void {
    this.turn(true);
    // If the browser allows it.
    void document.documentElement.requestFullscreen?.().catch(() => undefined);
  }

  leave(): void {
    this.turn(false);
    if (document.fullscreenElement) void document.exitFullscreen().catch(() => undefined);
  }

  /** Milliseconds that a card stays. */
  stays({ tone }: Card): number {
    return tone === "good" ? GOOD_STAYS : OTHER_STAYS;
  }

  private turn(isOn: boolean): void {
    this.isOn = isOn;
    storeItem(KEPT, isOn ? "yes" : "");
    this.show();
  }

  private show(): void {
    this.view.kiosk(this.isOn);
  }
}

/** A card without name, numbers or buttons: the party is in, or the staff must decide. */
export function kioskCard(texts: Texts, result?: ScanResult): Card {
  const isIn = (result?.kind === "admitted" || result?.kind === "in_again") && result.people > 0;
  const name = isIn ? "kiosk.welcome" : "kiosk.staff";
  return {
    kind: isIn ? "admitted" : "staff",
    tone: isIn ? "good" : "bad",
    headline: texts.get(name, { num: result?.people ?? 0 }),
    details: [texts.get(`${name}.detail`)],
    peopleButtons: [],
    buttons: [],
  };
}
