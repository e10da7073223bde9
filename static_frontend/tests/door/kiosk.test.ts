import { expect, test } from "vitest";

import type { ScanResult } from "../../src/door/rules/scan-result.ts";
import { kioskCard } from "../../src/door/phone/kiosk.ts";
import { Texts } from "../../src/door/screen/texts.ts";

const texts = new Texts({
  locale: "en",
  time_zone: "UTC",
  tones: {},
  words: {
    "kiosk.welcome": "welcome {num}",
    "kiosk.welcome.detail": "go in",
    "kiosk.staff": "see the staff",
    "kiosk.staff.detail": "they help",
  },
});
const PARTY = { reference: "8D22P986", name: "Ada Rossi", state: "confirmed", seats: 4, admitted: 4, released: 0 };
const told = (kind: ScanResult["kind"], people: number): ScanResult => ({
  kind,
  people,
  action: { kind: "scan", scan_id: "1", code: "8D22P986" },
  offline: false,
  party: { ...PARTY, performance_id: 7 },
});

test.each(["admitted", "in_again"] as const)("all of a plain party go in, by number: %s", (kind) => {
  const card = kioskCard(texts, told(kind, 4));
  expect(card).toEqual({
    kind: "admitted",
    tone: "good",
    headline: "welcome 4",
    details: ["go in"],
    peopleButtons: [],
    buttons: [],
  });
});

test.each(["already_in", "not_listed", "released", "changed", "wrong_performance", "unknown"] as const)(
  "everybody else sees the staff, who are asked nothing here: %s",
  (kind) => {
    const card = kioskCard(texts, told(kind, 0));
    expect([card.tone, card.headline, card.buttons, card.peopleButtons, card.party]).toEqual([
      "bad",
      "see the staff",
      [],
      [],
      undefined,
    ]);
  },
);

test("and so does who gets no answer", () => {
  expect(kioskCard(texts).headline).toBe("see the staff");
});
