import { beforeEach, expect, test } from "vitest";

import { PartyList, readReference, type KnownParty } from "../../src/door/rules/party-list.ts";
import { decide } from "../../src/door/rules/verdicts.ts";
import type { ScanAction } from "../../src/door/sync/protocol.ts";
import { aParty, SITE, TOKENS } from "./stage.ts";

let house: PartyList;

beforeEach(async () => {
  house = new PartyList(7, [
    await aParty(0, { name: "Zoë Nguyen", seats: 4, admitted: 1 }),
    await aParty(1, { name: "Łukasz D’Àngelo" }),
    await aParty(2, { name: "Nguyen Van An", state: "cancelled" }),
    await aParty(3, { name: "Ada Rossi", released: 2 }),
  ]);
});

const done = (n: number, people: number, scan_id = "1") => ({
  action: { kind: "scan", scan_id, code: "" } satisfies ScanAction,
  reference: `AAAA000${n}`,
  people,
  at: "2026-11-25T20:41:00Z",
});

test.each([
  SITE + TOKENS[0]!,
  TOKENS[0]!,
  ` ${TOKENS[0]!}\n`,
  `${TOKENS[0]!}/`,
  "AAAA0000",
  "aaaa-0000",
  " aaaa oooo ",
])("%s names the party", async (code) => {
  expect(await house.identify(code)).toMatchObject({ party: { name: "Zoë Nguyen" } });
});

test.each([SITE + TOKENS[9]!, "AAAA 0009"])("%s, which is not on the list, may be newer", async (code) => {
  expect(await house.identify(code)).toBe("ticket");
});

test.each(["", "AAAA 000", "https://example.org/", "BEGIN:VCARD", "x".repeat(501), "\0"])(
  "%j names nobody",
  async (code) => expect(await house.identify(code)).toBe("nobody"),
);

test.each([
  ["k7q2 x9pm", "K7Q2X9PM"],
  ["IL0O-abcd", "1100ABCD"],
  ["UUUUUUUU", undefined],
  ["K7Q2X9P", undefined],
])("the reference %s is read as %s", (typed, read) => expect(readReference(typed)).toBe(read));

test("what was done here is added to the list, and undone with it", () => {
  house.setQueued([done(0, 3)]);
  expect(house.find("AAAA0000")).toMatchObject({ admitted: 4 });
  const counts = { expected: 4, inside: 1, to_come: 3, free: 0 };
  expect(house.adjustCounts(counts)).toEqual({ expected: 4, inside: 4, to_come: 0, free: 0 });
  expect(house.firstAdmittedAt("AAAA0000")).toBe("2026-11-25T20:41:00Z");
  house.setQueued([done(0, 3), done(0, -3, "2")]);
  expect(house.find("AAAA0000")).toMatchObject({ admitted: 1 });
  house.setQueued([]);
  expect(house.find("AAAA0000")).toMatchObject({ admitted: 1 });
});

test("the server may count a scan before this phone knows: never more than the party", () => {
  house.update([{ ...house.listed("AAAA0000")!, admitted: 4 }]);
  house.setQueued([done(0, 3)]);
  expect(house.find("AAAA0000")).toMatchObject({ admitted: 4 });
});

test("late comers who were let in here have their places back", () => {
  house.setQueued([done(3, 1)]);
  expect(house.find("AAAA0003")).toMatchObject({ admitted: 1, released: 1 });
});

test("names are found whatever their accents and case; bookings that ended are not", () => {
  const found = (query: string) => house.search(query).parties.map(({ name }) => name);
  expect(found("nguyen")).toEqual(["Zoë Nguyen"]);
  expect(found("ZOE")).toEqual(["Zoë Nguyen"]);
  expect(found("angelo")).toEqual(["Łukasz D’Àngelo"]);
  expect(found("aaaa 0003")).toEqual(["Ada Rossi"]);
  expect(found("z")).toEqual([]);
});

test("no-shows are the places that are held for people who are not in", () => {
  const noShows = (inside: [string, number][] = []) => house.noShows(new Map(inside), { until: 0, now: 1 });
  const late = { parties: 0, places: 0, until: undefined };
  expect(noShows()).toEqual({ parties: 2, places: 5, late });
  // Whom a revoked phone let in is no more missing than whom this one did.
  expect(noShows([["AAAA0000", 2]])).toEqual({ parties: 2, places: 3, late });
  house.setQueued([done(0, 3)]);
  expect(noShows()).toEqual({ parties: 1, places: 2, late });
});

test.each([
  // The hold of all, what the party said, and until when its places are kept.
  ["20:00", "19:50", "20:00"],
  ["19:45", "19:50", "19:50"],
])("who told that they come late keep their places until a time: hold %s, said %s", async (hold, said, kept) => {
  const time = (clock: string) => Date.parse(`2026-11-25T${clock}:00Z`);
  house.update([await aParty(0, { seats: 4, admitted: 1, late_at: `2026-11-25T${said}:00Z` })]);
  const noShows = (now: number) => house.noShows(new Map([["AAAA0000", 1]]), { until: time(hold), now });
  const late = { parties: 1, places: 2, until: time(kept) };
  expect(noShows(time(kept) - 1)).toEqual({ parties: 1, places: 2, late });
  const none = { parties: 0, places: 0, until: undefined };
  expect(noShows(time(kept))).toEqual({ parties: 2, places: 4, late: none });
});

test("of two thousand parties as many are shown as can be looked through", async () => {
  const party = await aParty(0);
  const many = Array.from({ length: 2_000 }, (_, n) => ({
    ...party,
    reference: `B${String(n).padStart(7, "0")}`,
    name: `Visitor ${n}`,
    tickets: [],
  }));
  const large = new PartyList(7, many);
  expect(large.search("visitor 1999")).toMatchObject({ parties: [{ name: "Visitor 1999" }], more: false });
  const some = large.search("visitor");
  expect([some.parties.length, some.more]).toEqual([20, true]);
  expect(large.noShows(new Map(), { until: 0, now: 1 }).parties).toBe(2_000);
});

test("a party that was moved away belongs to another performance, whatever the rest of its row says", async () => {
  house.update([await aParty(0, { name: "", state: "cancelled", moved: true })]);
  const found = await house.identify(TOKENS[0]!);
  expect(found).toMatchObject({ party: { reference: "AAAA0000" } });
  const { party } = found as { party: KnownParty };
  expect(decide(party, 7, false).kind).toBe("wrong_performance");
  expect(house.search("Nguyen").parties).toHaveLength(0);
  house.update([await aParty(0, { name: "Zoë Nguyen", moved: false })]);
  expect(decide(house.find("AAAA0000"), 7, false).kind).toBe("admitted");
});
