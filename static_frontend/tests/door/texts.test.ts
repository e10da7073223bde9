import { expect, test } from "vitest";

import table from "../../../tests/checkin/plurals.json" with { type: "json" };
import { Texts } from "../../src/door/screen/texts.ts";

const words = new Texts({
  locale: "en-GB",
  time_zone: "Europe/Rome",
  tones: { admitted: "good" },
  words: { rest: { one: "{num} is to come", other: "{num} are to come" }, by: "At {at} by {by}." },
});

test("a number chooses its form", () => {
  expect(words.get("rest", { num: 1 })).toBe("1 is to come");
  expect(words.get("rest", { num: 0 })).toBe("0 are to come");
  expect(words.get("rest", { num: 3 })).toBe("3 are to come");
});

test.each(table.languages)("$locale: the language's own rule chooses", ({ locale, forms, cases }) => {
  const seats = new Texts({ locale, time_zone: "UTC", tones: {}, words: { seats: forms as Record<string, string> } });
  expect(cases.map(([num]) => seats.get("seats", { num: num as number }))).toEqual(cases.map(([, said]) => said));
});

test("a language with more forms than ours has takes the general one", () => {
  const italian = new Texts({ locale: "it", time_zone: "UTC", tones: {}, words: { in: { one: "uno", other: "{num}" } } });
  expect(italian.get("in", { num: 1_000_000 })).toBe("1000000");
});

test("what is filled in is not read for places again", () => {
  expect(words.get("by", { at: "20:41", by: "{at}" })).toBe("At 20:41 by {at}.");
});

test("times are the theatre's, whatever the phone's time zone", () => {
  expect(words.clock("2026-07-01T18:41:00Z")).toBe("20:41");
  expect(words.when("2026-07-01T22:30:00Z")).toContain("2 July 2026");
  expect(words.clock("2026-07-01T22:05:00Z")).toBe("00:05");
});

test("a verdict without a tone of its own is a bad one", () => {
  expect([words.tone("admitted"), words.tone("expired")]).toEqual(["good", "bad"]);
});

test("words that are missing are told at once", () => {
  expect(() => words.get("nothing")).toThrow("nothing");
});
