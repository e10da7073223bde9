import { expect, test } from "vitest";

import { cardOf, admitButtons, partyOf } from "../../src/door/screen/cards.ts";
import { conflictText } from "../../src/door/screen/notice-texts.ts";
import type { Conflict } from "../../src/door/sync/protocol.ts";
import { Texts } from "../../src/door/screen/texts.ts";

const texts = new Texts({
  locale: "en-GB",
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
    "conflict.again": "{name} again twice: {first}, and {at}",
    "conflict.not_out": "{name} was not out: {at}",
    "conflict.walk_in_again": "without a ticket, again: {num}, {at}",
    "in_again.do": "again",
    "let_out.do": "out",
    "let_out.only": "only",
    "let_out.rest": "{num} still in",
    "let_out.detail": "theirs",
    "too_many.again": "only {num} out",
    "changed.passage": "{num} in the building",
    "some_out.detail": "who?",
    "admitted.listed": "by the list",
    undo: "undo",
    next: "next",
    out: "{num} out",
    let_out: "{num} go",
    changed: "look",
    too_many: "too many",
    some_out: "who",
    "conflict.unknown": "nobody's ticket: {at}",
    let_in: "in",
    seats: "{num} seats",
    in: "{num} in",
    "note.elsewhere": "a note",
    "when.today": "today at {at}",
    "when.day": "on {day} at {at}",
    "reduced.staff": "from {seats} to {num} by staff {when}",
    "released.since": "{num} released {when}",
    cancelled: "Cancelled",
    "cancelled.detail": "cancelled",
    "cancelled.since": "cancelled {when}",
    "cancelled.visitor": "cancelled by the visitor {when}",
    "expired.since": "not confirmed {when}",
    expired: "Expired",
    "expired.detail": "expired",
    performance_cancelled: "No evening",
    "performance_cancelled.detail": "nobody",
    "performance_cancelled.since": "called off {when}",
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
const CALLED_OFF = "2026-12-03T13:10:00Z";
const EVENING = {
  id: 7,
  show_title: "Show",
  venue_name: "Venue",
  starts_at: "2026-12-04T19:30:00Z",
  closes_at: "2026-12-04T23:30:00Z",
  release_from: "2026-12-04T19:00:00Z",
  cancelled: false,
  released_at: CALLED_OFF,
};
const NOW = { listedAt: undefined, free: 0, now: new Date("2026-12-04T18:00:00Z"), performance: EVENING };
const BY_STAFF = { at: "2026-12-04T17:05:00Z", by: "staff" };
const FIRST = { at: "2026-11-25T19:41:00Z", by: "carlo", door: "" };

test.each([
  ["people without a booking", { walk_in: true }, "without a booking: 2, 20:43, Door B"],
  ["none of whom was counted", { walk_in: true, reference: null }, "without a booking: 2, 20:43, Door B"],
  ["a ticket of nobody", { reference: null }, "nobody's ticket: 20:43, Door B"],
  ["a party twice", { name: "Ada", first: FIRST }, "Ada twice: 20:41, carlo, and 20:43, Door B"],
  ["a party in again twice", { name: "Ada", first: FIRST, way: "again" }, "Ada again twice: 20:41, carlo, and 20:43, Door B"],
  ["a party that was not out", { name: "Ada", way: "again" }, "Ada was not out: 20:43, Door B"],
  ["more in again than out", { walk_in: true, way: "again" }, "without a ticket, again: 2, 20:43, Door B"],
  ["a party at a revoked phone", { ...REVOKED, name: "Ada", first: FIRST }, "Ada, revoked: 20:45, Door C"],
  ["who had no booking at a revoked phone", { ...REVOKED, reference: null, walk_in: true }, "walk-in, revoked: 20:45, Door C"],
  ["a party without a place", {}, "8D22P986 had no place: 20:43, Door B"],
])("a conflict is told by who it is about: %s", (_, facts, text) => {
  expect(conflictText({ ...CONFLICT, ...facts }, texts)).toEqual({ title: "2 too many", text });
});

test.each([
  ["all who are to come", { admitted: 1, released: 0 }, 0, [{ act: "let-in", label: "in", upTo: 3 }]],
  ["late comers, as many as places are free", { released: 4 }, 3, [{ act: "late", label: "late", upTo: 3 }]],
  ["late comers into a full house: nobody", { released: 4 }, 0, []],
  ["who is out, and who is to come", { admitted: 2, outside: 1 }, 0, [
    { act: "in-again", label: "again", upTo: 1 },
    { act: "let-in", label: "in", upTo: 2 },
  ]],
  ["nobody of a party that is in", { admitted: 4 }, 9, []],
])("who can be let in: %s", (_, facts, free, heads) => {
  const party = { reference: "8D22P986", name: "Ada", state: "confirmed", performance_id: 7, seats: 4 };
  expect(admitButtons({ ...party, admitted: 0, released: 0, ...facts }, texts, free)).toEqual(heads);
});

test.each([
  ["what staff wrote", { note: "Wheelchair, row 1", has_note: true }, ["Wheelchair, row 1"]],
  ["that there is one, where names are not told", { note: "", has_note: true }, ["a note"]],
  ["nothing", { note: "", has_note: false }, []],
  ["nothing by a server of before", {}, []],
  ["when they come who told it", { late_at: "2026-11-25T19:50:00Z", note: "Row 1" }, ["late, 20:50", "Row 1"]],
  ["that they became smaller", { reduced: { ...BY_STAFF, seats: 6 } }, ["from 6 to 4 by staff today at 18:05"]],
  ["that places of theirs were released", { released: 2 }, ["2 released on 3 Dec at 14:10"]],
  ["no lateness when all are in", { late_at: "2026-11-25T19:50:00Z", admitted: 4 }, []],
])("a party is shown with its note: %s", (_, facts, notes) => {
  const party = { reference: "8D22P986", name: "Ada", state: "confirmed", performance_id: 7, seats: 4 };
  expect(partyOf({ ...party, admitted: 0, released: 0, ...facts }, texts, NOW).notes).toEqual(notes);
});

const ENDED = { at: CALLED_OFF, by: "visitor" };
test.each([
  ["by whom", "cancelled", { ended: ENDED }, "cancelled by the visitor on 3 Dec at 14:10"],
  ["when, where nobody wrote down by whom", "cancelled", { ended: { ...ENDED, by: null } }, "cancelled on 3 Dec at 14:10"],
  ["by somebody of a later release", "cancelled", { ended: { ...ENDED, by: "robot" } }, "cancelled on 3 Dec at 14:10"],
  ["as before, by a server of before", "cancelled", {}, "cancelled"],
  ["when its seats went back", "expired", { ended: { ...ENDED, by: null } }, "not confirmed on 3 Dec at 14:10"],
  ["that the evening was called off", "performance_cancelled", { ended: ENDED }, "called off today at 19:00"],
] as const)("a ticket that is refused says why: %s", (_, kind, facts, why) => {
  const party = { reference: "8D22P986", name: "", state: "cancelled", performance_id: 7, seats: 4 };
  const told = {
    kind,
    people: 0,
    action: { kind: "scan", scan_id: "1", code: "" },
    party: { ...party, admitted: 0, released: 0, ...facts },
    offline: false,
  } as const;
  const performance = { ...EVENING, cancelled_at: "2026-12-04T18:00:00Z" };
  expect(cardOf(told, texts, { ...NOW, performance }).details).toEqual([why]);
});

const PARTY = {
  reference: "8D22P986", name: "Ada", state: "confirmed", performance_id: 7, seats: 4, admitted: 4, released: 0,
};

test.each([
  ["out", "let_out", 3, { outside: 3 }, ["1 still in"], [{ act: "only", label: "only", upTo: 2 }], ["undo", "next"]],
  ["out", "let_out", 1, { outside: 4 }, ["theirs"], [], ["undo", "next"]],
  ["out", "changed", 0, { outside: 1 }, ["3 in the building"], [{ act: "let-out", label: "out", upTo: 3 }], ["next"]],
  ["again", "too_many", 0, { outside: 1 }, ["only 1 out"], [{ act: "in-again", label: "again", upTo: 1 }], ["next"]],
  ["any", "some_out", 0, { admitted: 3, outside: 1 }, ["who?"], [
    { act: "in-again", label: "again", upTo: 1 },
    { act: "let-in", label: "in", upTo: 1 },
  ], ["next"]],
] as const)("a way and its verdict: %s, %s %i", (way, kind, people, facts, details, heads, buttons) => {
  const action = { kind: "scan", scan_id: "1", code: "8D22P986", way } as const;
  const told = { kind, people, action, party: { ...PARTY, ...facts }, offline: false };
  const card = cardOf(told, texts, NOW);
  expect(card.details).toEqual(details);
  expect(card.peopleButtons).toEqual(heads);
  expect(card.buttons.map(({ act }) => act)).toEqual(buttons);
});
