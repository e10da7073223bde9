import { beforeEach, expect, test, vi } from "vitest";

import codes from "../../../tests/checkin/codes.json" with { type: "json" };
import { ForeignNotice, QUIET_AT_KIOSK, SHOWN } from "../../src/door/screen/foreign-notice.ts";
import { isForeign } from "../../src/door/rules/foreign-codes.ts";
import type { View } from "../../src/door/screen/view.ts";
import { Texts } from "../../src/door/screen/texts.ts";

const texts = new Texts({ locale: "en", time_zone: "UTC", tones: {}, words: { foreign: "none of ours" } });

let said: (string | undefined)[];
let notice: ForeignNotice;

beforeEach(() => {
  vi.useFakeTimers();
  said = [];
  const view = { setText: (_: string, text: string | undefined) => said.push(text) };
  notice = new ForeignNotice(view as unknown as View, texts);
});

test.each([
  ...codes.ours.map((code) => [code, false] as const),
  ...codes.foreign.map((code) => [code, true] as const),
])("%j is foreign: %s", (code, expected) => {
  expect(isForeign(code)).toBe(expected);
});

test("the notice goes by itself", () => {
  notice.show("https://example.org", true);
  expect(said).toEqual(["none of ours"]);
  vi.advanceTimersByTime(SHOWN);
  expect(said).toEqual(["none of ours", undefined]);
});

test("a poster in view is told of once, however often the camera loses it", () => {
  for (let n = 0; n < 20; n += 1) {
    notice.show("a poster", true);
    vi.advanceTimersByTime(20_000);
  }
  expect(said).toEqual(["none of ours", undefined]);
  // It was taken away, and somebody shows it an hour later.
  vi.advanceTimersByTime(3_600_000);
  notice.show("a poster", true);
  expect(said).toHaveLength(3);
});

test("who shows it to a kiosk again is answered again, a poster there is not", () => {
  for (let n = 0; n < 3; n += 1) {
    notice.show("a poster", true, QUIET_AT_KIOSK);
    vi.advanceTimersByTime(QUIET_AT_KIOSK - 1);
  }
  expect(said).toEqual(["none of ours", undefined]);
  vi.advanceTimersByTime(1);
  notice.show("a poster", true, QUIET_AT_KIOSK);
  expect(said).toHaveLength(3);
});

test("who pulls a hand scanner's trigger is answered each time", () => {
  notice.show("a poster", false);
  notice.show("a poster", false);
  expect(said).toEqual(["none of ours", "none of ours"]);
});
