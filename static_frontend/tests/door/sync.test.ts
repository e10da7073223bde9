import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { Unreachable, TimedOut, Server } from "../../src/door/sync/server.ts";
import type { QueuedAction } from "../../src/door/sync/store.ts";
import { EVERY, Sync } from "../../src/door/sync/sync.ts";
import { until } from "../until.ts";

let sync: Sync;
let waiting: QueuedAction[];
let sent: number;
let isAway: boolean;
let isSeen: boolean;
let changes: number;
let failure: Error | undefined;
/** Actions that the server has time for in one sync. */
let inTime: number;

beforeEach(() => {
  vi.useFakeTimers();
  [waiting, sent, changes, isAway, isSeen] = [[], 0, 0, false, true];
  [failure, inTime] = [undefined, Infinity];
  sync = new Sync(
    {
      waiting: () => waiting,
      send: async (batch) => {
        sent += 1;
        if (batch.length > inTime) throw new TimedOut("no answer in time");
        if (failure) throw failure;
        if (isAway) throw new Unreachable("no answer");
        waiting = waiting.filter((one) => !batch.includes(one));
      },
      putAside: async () => {},
      refused: async () => {},
      changed: () => (changes += 1),
      now: () => new Date(),
    },
    () => isSeen,
  );
});

afterEach(() => sync.stop());

const pass = async (milliseconds: number) => await vi.advanceTimersByTimeAsync(milliseconds);

test("it asks every second and a half while the page is seen", async () => {
  sync.start();
  await pass(EVERY * 4);
  expect(sent).toBe(5);
});

test("a page that nobody sees asks for nothing, unless something waits", async () => {
  isSeen = false;
  sync.start();
  await pass(EVERY * 4);
  expect(sent).toBe(1);
  isAway = true;
  waiting = [{ order: 1 } as QueuedAction];
  sync.now();
  await pass(EVERY * 10);
  expect(sent).toBeGreaterThan(3);
});

test("without an answer the pauses grow, to half a minute", async () => {
  isAway = true;
  sync.start();
  await pass(0);
  const at: number[] = [];
  let before = sent;
  for (let second = 0; second < 200; second += 1) {
    await pass(1_000);
    if (sent > before) at.push(second);
    before = sent;
  }
  const pauses = at.slice(1).map((moment, n) => moment - at[n]!);
  expect(pauses.slice(0, 3)).toEqual([6, 12, 24]);
  expect(pauses.at(-1)).toBe(30);
});

test("of more than the server has time for less is sent at once, until all of it is", async () => {
  inTime = 11;
  waiting = Array.from({ length: 46 }, (_, order) => ({ order, action: {} }) as QueuedAction);
  sync.start();
  await pass(60_000);
  expect([waiting, sync.isAway]).toEqual([[], false]);
});

test("a server that takes too long is told from a network that is away", async () => {
  const isAborted = async (signal: AbortSignal) =>
    await new Promise((_, fail) => signal.addEventListener("abort", () => fail(new Error("aborted"))));
  vi.stubGlobal("fetch", async (_address: string, { signal }: RequestInit) => await isAborted(signal!));
  const late = expect(new Server(1, "token").sync(1, [])).rejects.toBeInstanceOf(TimedOut);
  await pass(6_000);
  await late;
  vi.stubGlobal("fetch", async () => await Promise.reject(new TypeError("no network")));
  await expect(new Server(1, "token").sync(1, [])).rejects.not.toBeInstanceOf(TimedOut);
  vi.unstubAllGlobals();
});

test("it says once that there is no network, and once that it is back", async () => {
  isAway = true;
  sync.start();
  await pass(60_000);
  expect([changes, sync.isAway]).toEqual([1, true]);
  isAway = false;
  sync.now(); // as when the phone says that it is online
  await pass(0);
  expect([changes, sync.isAway]).toEqual([2, false]);
  const back = sent;
  await pass(EVERY * 2);
  expect(sent).toBe(back + 2);
});

test("what comes while it asks is asked for right after it", async () => {
  sync.start();
  sync.now();
  sync.now();
  await pass(0);
  expect(sent).toBe(2);
});

test("all that waits is sent with the round that is under way, or with one of its own", async () => {
  sync.start();
  waiting = [{ order: 1 } as QueuedAction];
  await sync.flush();
  expect([waiting.length, sent]).toEqual([0, 2]);
  waiting = [{ order: 2 } as QueuedAction];
  await sync.flush();
  expect([waiting.length, sent]).toEqual([0, 3]);
  await sync.flush();
  expect(sent).toBe(3);
  isAway = true;
  waiting = [{ order: 3 } as QueuedAction];
  await expect(sync.flush()).rejects.toBeInstanceOf(Unreachable);
});

test("whatever goes wrong, it asks again", async () => {
  const told: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection").on("unhandledRejection", (error) => told.push(error));
  failure = new TypeError("nobody thought of this");
  sync.start();
  await pass(EVERY * 2);
  expect(sent).toBe(2);
  failure = undefined;
  await pass(EVERY * 4);
  expect(sent).toBe(3);
  vi.useRealTimers();
  await until(() => expect(told).toHaveLength(2));
  process.removeAllListeners("unhandledRejection");
  for (const other of others) process.on("unhandledRejection", other);
});

/** Another window of this phone, which is asking while it `isBusy`. */
function anotherWindow(): { isBusy: boolean } {
  const other = { isBusy: true };
  const isThrough = async (signal: AbortSignal) => {
    while (other.isBusy) {
      signal.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  vi.stubGlobal("navigator", {
    locks: {
      request: async (_: string, asked: LockOptions, work: (lock: object | null) => Promise<void>) => {
        if (asked.signal) await isThrough(asked.signal);
        await work(other.isBusy ? null : {});
      },
    },
  });
  return other;
}

test("another window that asks already is not joined", async () => {
  anotherWindow();
  sync.start();
  await pass(EVERY);
  expect(sent).toBe(0);
  vi.unstubAllGlobals();
});

test("after another window's turn comes this one's, however long there was no network", async () => {
  const other = anotherWindow();
  other.isBusy = false;
  isAway = true;
  sync.start();
  await pass(120_000);
  isAway = false;
  other.isBusy = true;
  sync.now();
  await pass(0);
  other.isBusy = false;
  await pass(EVERY);
  expect(sync.isAway).toBe(false);
  vi.unstubAllGlobals();
});

test("what must be sent before something else waits for another window's turn to end", async () => {
  const other = anotherWindow();
  waiting = [{ order: 1 } as QueuedAction];
  sync.start();
  const flushed = sync.flush();
  await pass(1_000);
  expect(sent).toBe(0);
  other.isBusy = false;
  await pass(20);
  await flushed;
  expect([sent, waiting]).toEqual([1, []]);
  vi.unstubAllGlobals();
});

test("but not for ever", async () => {
  anotherWindow();
  waiting = [{ order: 1 } as QueuedAction];
  sync.start();
  const flushed = expect(sync.flush()).rejects.toThrow(Unreachable);
  await pass(6_000);
  await flushed;
  expect(sent).toBe(0);
  vi.unstubAllGlobals();
});
