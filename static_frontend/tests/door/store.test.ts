import "fake-indexeddb/auto";

import { deleteDB } from "idb";
import { afterEach, expect, test, vi } from "vitest";

import { DoorState } from "../../src/door/sync/door-state.ts";
import { Store, type QueuedAction } from "../../src/door/sync/store.ts";
import { aParty } from "./stage.ts";

const NAME = "azionelab-door";
const COUNTS = { expected: 2, inside: 2, to_come: 0, free: 8 };
const DEVICE = { token: "secret", label: "Door A", performanceId: 7, behind: 0 };
const DONE: QueuedAction = {
  action: { kind: "walk_in", scan_id: "1", people: 2 },
  reference: null,
  people: 2,
  at: "2026-11-25T20:41:07Z",
};

let opened: Store[] = [];

async function open(): Promise<Store> {
  opened.push(await Store.open());
  return opened.at(-1)!;
}

afterEach(async () => {
  vi.restoreAllMocks();
  for (const store of opened) await store.wipe();
  opened = [];
  await deleteDB(NAME);
});

/** As iOS does while the phone is locked: the page learns of it when it uses the database. */
function loseConnection(times: number): void {
  const lost = vi.spyOn(IDBDatabase.prototype, "transaction");
  for (let n = 0; n < times; n += 1) {
    lost.mockImplementationOnce(() => {
      throw new DOMException("Connection to Indexed Database server lost", "UnknownError");
    });
  }
}

async function aNotebook(): Promise<DoorState> {
  const store = await open();
  await store.keepDevice(DEVICE);
  return new DoorState(DEVICE, await store.read(), store, () => {});
}

test("a browser that does not answer is asked once more", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  try {
    const real = indexedDB.open.bind(indexedDB);
    const silent = real("silent");
    silent.addEventListener = () => {};
    const asked = vi.spyOn(indexedDB, "open").mockReturnValueOnce(silent).mockImplementation(real);
    const opening = open();
    await vi.advanceTimersByTimeAsync(4_999);
    expect(asked).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    vi.useRealTimers();
    await (await opening).keepDevice(DEVICE);
    expect(asked).toHaveBeenCalledTimes(2);
    silent.result.close();
    await deleteDB("silent");
  } finally {
    vi.useRealTimers();
  }
});

test("a connection that got lost is opened once more, and the write repeated", async () => {
  const book = await aNotebook();
  loseConnection(1);
  await book.enqueue(DONE);
  expect(book.cannotStore).toBe(false);
  expect(book.waiting).toHaveLength(1);
  loseConnection(1);
  await book.forget([], "scan-unknown");
  expect(book.cannotStore).toBe(false);
  book.close();
  // It is on the disk, once, beside what was there before.
  const kept = await (await open()).read();
  expect(kept.waiting.map(({ action }) => action)).toEqual([DONE.action]);
  expect(kept.device).toEqual(DEVICE);
});

test("only what fails a second time keeps nothing", async () => {
  const book = await aNotebook();
  loseConnection(2);
  await expect(book.enqueue(DONE)).rejects.toThrow("lost");
  expect(book.cannotStore).toBe(true);
  expect(book.waiting).toHaveLength(0);
  book.close();
});

test("what another tab has wiped is not made anew by this one", async () => {
  const [here, there] = [await open(), await open()];
  await here.keepDevice(DEVICE);
  await there.wipe();
  await expect(here.keepAnswer(COUNTS, await aParty(0))).rejects.toThrow();
  expect(await indexedDB.databases()).toEqual([]);
  // Nor does it write into the next evening's.
  const next = await open();
  await expect(here.keepAnswer(COUNTS, await aParty(0))).rejects.toThrow();
  expect((await next.read()).parties).toEqual([]);
});

test("nor what the system has wiped", async () => {
  const store = await open();
  await store.keepDevice(DEVICE);
  // Closed by the system, which tells nobody, and deleted.
  const transaction = IDBDatabase.prototype.transaction;
  let db: IDBDatabase | undefined;
  vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementationOnce(function (
    this: IDBDatabase,
    ...asked: Parameters<IDBDatabase["transaction"]>
  ) {
    db = this;
    return transaction.apply(this, asked);
  });
  await store.read();
  db!.close();
  await deleteDB(NAME);
  await expect(store.keepAnswer(COUNTS, await aParty(0))).rejects.toThrow();
  expect(await indexedDB.databases()).toEqual([]);
});

test("an answer that comes after the list went brings no name back", async () => {
  const store = await open();
  await store.wipeList(DEVICE);
  await store.keepAnswer(COUNTS, await aParty(0));
  const kept = await store.read();
  expect([kept.evening, kept.parties]).toEqual([undefined, []]);
});
