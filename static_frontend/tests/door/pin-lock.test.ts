import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { PinLock } from "../../src/door/phone/pin-lock.ts";

/** Rounds that take no time. */
const FEW = 1_000;

beforeEach(() => {
  localStorage.clear();
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => vi.useRealTimers());

/** The app, started anew: what it knows is what was kept. */
const restarted = () => new PinLock(FEW);

async function locked(): Promise<PinLock> {
  const lock = new PinLock(FEW);
  await lock.set("2468");
  lock.lock();
  return lock;
}

test("it stays locked over a restart, and opens by the PIN alone", async () => {
  await locked();
  const lock = restarted();
  expect([lock.hasPin, lock.isLocked]).toEqual([true, true]);
  expect(await lock.open("2469")).toBe(false);
  expect(lock.isLocked).toBe(true);
  expect(await lock.open("2468")).toBe(true);
  expect(restarted().isLocked).toBe(false);
});

test("what is kept does not tell the PIN, and differs for the same one", async () => {
  const kept: string[] = [];
  for (let n = 0; n < 2; n += 1) {
    await locked();
    kept.push(JSON.stringify({ ...localStorage }));
  }
  expect(kept[0]).not.toContain("2468");
  expect(kept[0]).not.toBe(kept[1]);
});

test("wrong ones are slowed more and more, over restarts, and whatever is done to the clock", async () => {
  await locked();
  const pauses: number[] = [];
  for (let n = 0; n < 6; n += 1) {
    const lock = restarted();
    expect(await lock.open("0000")).toBe(false);
    pauses.push(restarted().pause);
    vi.setSystemTime(Date.now() + lock.pause);
  }
  expect(pauses).toEqual([0, 0, 5_000, 10_000, 20_000, 40_000]);
  expect(await restarted().open("0000")).toBe(false);
  expect(await restarted().open("2468")).toBe(false);
  // Set back by a year: the whole pause, and no more.
  vi.setSystemTime(Date.now() - 365 * 86_400_000);
  expect(restarted().pause).toBe(80_000);
});

test("a try counts before it is looked at", async () => {
  const lock = await locked();
  const trying = lock.open("0000");
  for (let n = 0; n < 2; n += 1) await restarted().open("0000");
  expect(restarted().pause).toBe(5_000);
  expect(await trying).toBe(false);
});

test("windows that were opened before anybody tried have no tries of their own", async () => {
  await locked();
  const windows = Array.from({ length: 4 }, restarted);
  for (const lock of windows) await lock.open("0000");
  expect(await windows[0]!.open("2468")).toBe(false);
  vi.setSystemTime(Date.now() + restarted().pause);
  expect(await windows[0]!.open("2468")).toBe(true);
});

test("without a PIN nothing is locked", () => {
  const lock = new PinLock();
  lock.lock();
  expect([lock.hasPin, lock.isLocked, restarted().isLocked]).toEqual([false, false, false]);
});

test("a PIN that is removed is gone", async () => {
  const lock = await locked();
  lock.remove();
  expect(restarted().hasPin).toBe(false);
});
