import { expect, test } from "vitest";

import { conflictWords, headsFor, partyOf } from "../../src/door/cards.ts";
import type { Conflict } from "../../src/door/server.ts";
import { Words } from "../../src/door/words.ts";

const words = new Words({
  locale: "en",
  time_zone: "Europe/Rome",
  tones: {},
  words: {
    conflict: "{num} too many",
    "conflict.at": "{at}, {door}",
    "conflict.walk_in": "without a booking: {num}, {at}",
    "conflict.twice": "{name} twice: {first}, and {at}",
    "conflict.revoked": "{name}, revoked: {at}",
    walk_in: "walk-in",
    "conflict.none": "{name} had no place: {at}",
    "conflict.unknown": "nobody's ticket: {at}",
    let_in: "in",
    seats: "{num} seats",
    in: "{num} in",
    "note.elsewhere": "a note",
    late: "late, {at}",
    "let_in.late": "late",
  },
});

const CONFLICT: Conflict = {
  scan_id: "1",
  reference: "8D22P986",
  name: "",
  walk_in: false,
  people: 1,
  claimed: 3,
  at: "2026-11-25T19:43:00Z",
  by: "anna",
  door: "Door B",
  first: null,
};
const REVOKED = {
  verdict: "revoked",
  attempt: { at: "2026-11-25T19:45:00Z", by: "dora", door: "Door C" },
};
const FIRST = { at: "2026-11-25T19:41:00Z", by: "carlo", door: "" };

test.each([
  ["people without a booking", { walk_in: true }, "without a booking: 2, 20:43, Door B"],
  ["none of whom was counted", { walk_in: true, reference: null }, "without a booking: 2, 20:43, Door B"],
  ["a ticket of nobody", { reference: null }, "nobody's ticket: 20:43, Door B"],
  ["a party twice", { name: "Ada", first: FIRST }, "Ada twice: 20:41, carlo, and 20:43, Door B"],
  ["a party at a revoked phone", { ...REVOKED, name: "Ada", first: FIRST }, "Ada, revoked: 20:45, Door C"],
  ["who had no booking at a revoked phone", { ...REVOKED, reference: null, walk_in: true }, "walk-in, revoked: 20:45, Door C"],
  ["a party without a place", {}, "8D22P986 had no place: 20:43, Door B"],
])("a conflict is told by who it is about: %s", (_, facts, text) => {
  expect(conflictWords({ ...CONFLICT, ...facts }, words)).toEqual({ title: "2 too many", text });
});

test.each([
  ["all who are to come", { admitted: 1, released: 0 }, 0, [{ act: "let-in", label: "in", upTo: 3 }]],
  ["late comers, as many as places are free", { released: 4 }, 3, [{ act: "late", label: "late", upTo: 3 }]],
  ["late comers into a full house: nobody", { released: 4 }, 0, []],
  ["nobody of a party that is in", { admitted: 4 }, 9, []],
])("who can be let in: %s", (_, facts, free, heads) => {
  const party = { reference: "8D22P986", name: "Ada", state: "confirmed", performance_id: 7, seats: 4 };
  expect(headsFor({ ...party, admitted: 0, released: 0, ...facts }, words, free)).toEqual(heads);
});

test.each([
  ["what staff wrote", { note: "Wheelchair, row 1", has_note: true }, ["Wheelchair, row 1"]],
  ["that there is one, where names are not told", { note: "", has_note: true }, ["a note"]],
  ["nothing", { note: "", has_note: false }, []],
  ["nothing by a server of before", {}, []],
  ["when they come who told it", { late_at: "2026-11-25T19:50:00Z", note: "Row 1" }, ["late, 20:50", "Row 1"]],
  ["no lateness when all are in", { late_at: "2026-11-25T19:50:00Z", admitted: 4 }, []],
])("a party is shown with its note: %s", (_, facts, notes) => {
  const party = { reference: "8D22P986", name: "Ada", state: "confirmed", performance_id: 7, seats: 4 };
  expect(partyOf({ ...party, admitted: 0, released: 0, ...facts }, words).notes).toEqual(notes);
});
