import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Clock, type StoredTime } from "../../src/door/sync/clock.ts";

const MINUTE = 60_000;
const SAID = Date.parse("2026-11-25T20:00:00Z");
const CLOSES = Date.parse("2026-11-25T22:00:00Z");

/** What the phone's own clock says, and its monotonic one. */
let phone: number;
let ticks: number;
let clock: Clock;

beforeEach(() => {
  [phone, ticks] = [SAID + 7 * MINUTE, 1_000];
  vi.spyOn(Date, "now").mockImplementation(() => phone);
  vi.spyOn(performance, "now").mockImplementation(() => ticks);
  clock = new Clock(undefined, CLOSES);
  clock.correct("2026-11-25T20:00:00Z", ticks, ticks);
});

afterEach(() => vi.restoreAllMocks());

/** Minutes that all clocks count. */
function pass(minutes: number): void {
  phone += minutes * MINUTE;
  ticks += minutes * MINUTE;
}

/** Minutes that the monotonic clock does not count: the phone sleeps, or its clock is set. */
const leap = (minutes: number) => (phone += minutes * MINUTE);

/** Minutes since the server spoke, as far as the phone can tell. */
const minutes = (of = clock) => (of.now().getTime() - SAID) / MINUTE;
const isPast = (minute: number, of = clock) =>
  of.isSurelyPast(new Date(SAID + minute * MINUTE).toISOString());

/** The page once more, on a phone that was off. */
const restart = (kept: StoredTime = clock.stored) => new Clock(kept, CLOSES);

test("the time is the server's, whatever the phone's clock says", () => {
  expect([minutes(), clock.stored.behind]).toEqual([0, -7 * MINUTE]);
  pass(30);
  expect([minutes(), isPast(29), isPast(31), clock.hasJumped]).toEqual([30, true, false, false]);
});

test.each([1_440, -1_440, 60, -60])("a clock that is set by %i minutes is seen to jump", (set) => {
  pass(10);
  leap(set);
  expect([minutes(), clock.hasJumped]).toEqual([10, true]);
  pass(5);
  expect([minutes(), isPast(16)]).toEqual([15, false]);
  leap(-set);
  expect([minutes(), clock.hasJumped]).toEqual([15, false]);
});

test("a phone that nobody looks at sleeps: its own clock tells for how long", () => {
  clock.setVisible(false);
  leap(40);
  clock.setVisible(true);
  pass(5);
  expect([minutes(), clock.hasJumped]).toEqual([45, false]);
  // But who set it to be later meanwhile must not end the evening.
  expect([isPast(4), isPast(6)]).toEqual([true, false]);
});

test("who sees a clock that is past the end may say that it is over", () => {
  const closes = new Date(CLOSES).toISOString();
  expect(clock.mayBePast(closes)).toBe(false);
  leap(-1_440);
  expect(clock.mayBePast(closes)).toBe(false);
  leap(2 * 1_440);
  expect([clock.mayBePast(closes), clock.isSurelyPast(closes)]).toEqual([true, false]);
});

test("nobody sleeps through the end of the evening without being asked", () => {
  clock.setVisible(false);
  leap(1_440);
  clock.setVisible(true);
  expect([minutes(), clock.hasJumped, isPast(1)]).toEqual([0, true, false]);
});

test("a clock that is put back while nobody looks was put back", () => {
  clock.setVisible(false);
  leap(-30);
  clock.setVisible(true);
  expect([minutes(), clock.hasJumped]).toEqual([0, true]);
});

test("small corrections are no jump, and in the long run none is lost", () => {
  for (let n = 0; n < 10; n += 1) {
    pass(1);
    leap(1 / 60);
    clock.now();
  }
  expect([minutes(), clock.hasJumped]).toEqual([10, false]);
});

test("what the server says ends a jump", () => {
  leap(1_440);
  expect(clock.hasJumped).toBe(true);
  clock.correct("2026-11-25T20:03:00Z", ticks, ticks);
  expect([minutes(), clock.hasJumped]).toEqual([3, false]);
});

test("an answer was written halfway, by the clock that nobody can set", () => {
  const asked = ticks;
  pass(2);
  leap(1_440);
  clock.correct("2026-11-25T20:01:00Z", asked, ticks);
  expect([minutes(), clock.hasJumped]).toEqual([2, false]);
});

test("one that is told no time goes on as before", () => {
  clock.correct("soon", 0, 0);
  expect(minutes()).toBe(0);
});

test("after a restart the phone's own clock tells how long it was off", () => {
  pass(10);
  const { stored: kept } = clock;
  leap(20);
  ticks = 0;
  const next = restart(kept);
  expect([minutes(next), next.hasJumped, isPast(9, next), isPast(11, next)]).toEqual([30, false, true, false]);
});

test.each([1_440, -60])("a restart with a clock that is %i minutes off goes on where it was", (set) => {
  pass(10);
  const { stored: kept } = clock;
  leap(set);
  ticks = 0;
  const next = restart(kept);
  expect([minutes(next), next.hasJumped, isPast(11, next)]).toEqual([10, true, false]);
  pass(120);
  expect(isPast(119, next)).toBe(true);
});

test("a jump is still known after a restart, and the time right", () => {
  leap(60);
  pass(10);
  const next = restart();
  expect([minutes(next), next.hasJumped]).toEqual([10, true]);
});
