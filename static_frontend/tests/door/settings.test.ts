import { beforeEach, expect, test } from "vitest";

import { readSettings } from "../../src/door/phone/settings.ts";

beforeEach(() => localStorage.clear());

const keep = (kept: string) => localStorage.setItem("azionelab.door.settings", kept);

test("what was chosen is kept, and what makes no sense is as usual", () => {
  const usual = readSettings();
  expect(usual).toEqual({ sound: "beeps", volume: 80, vibrates: true, hidesNames: false, locksAfter: 5 });
  const chosen = { sound: "off", volume: 30, vibrates: false, hidesNames: true, locksAfter: 0 };
  keep(JSON.stringify(chosen));
  expect(readSettings()).toEqual(chosen);
  for (const kept of ["{", "null", "7", '{"sound": "trumpet", "volume": 900, "vibrates": 1, "locksAfter": -1}']) {
    keep(kept);
    expect(readSettings()).toEqual(usual);
  }
});
