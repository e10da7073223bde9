import "fake-indexeddb/auto";

import { deleteDB } from "idb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import type { ScanResult } from "../../src/door/rules/scan-result.ts";
import { DoorSession } from "../../src/door/sync/session.ts";
import type { Action } from "../../src/door/sync/protocol.ts";
import { Store } from "../../src/door/sync/store.ts";
import { aParty, FakeServer, TOKENS } from "./stage.ts";
import { until } from "../until.ts";

const DEVICE = { token: "secret", label: "Door A", performanceId: 7, behind: 0 };
const TICKET = TOKENS[0]!;

let server: FakeServer;
let open: DoorSession[];
let stores: Store[];

beforeEach(async () => {
  server = new FakeServer();
  server.reentry = true;
  server.figure = { in_building: 4, known_at: new Date().toISOString(), outside: 0 };
  server.parties = [await aParty(0, { seats: 4, admitted: 4, outside: 0 }), await aParty(1)];
  vi.stubGlobal("fetch", server.fetch);
  open = [];
  stores = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const evening of open) evening.stop();
  for (const store of stores) await store.wipe();
  await deleteDB("azionelab-door");
});

async function start(): Promise<DoorSession> {
  const store = await Store.open();
  stores.push(store);
  let contents = await store.read();
  if (!contents.device) {
    await store.keepDevice(DEVICE);
    contents = await store.read();
  }
  const evening = new DoorSession(contents.device!, contents, store, () => undefined);
  open.push(evening);
  evening.start();
  await until(() => expect(evening.state.performance).toBeDefined());
  return evening;
}

/** The phone finds no network from now on. */
async function goAway(evening: DoorSession): Promise<void> {
  server.isAway = true;
  evening.sync.now();
  await until(() => expect(evening.sync.isAway).toBe(true));
}

async function comeBack(evening: DoorSession): Promise<void> {
  server.isAway = false;
  evening.sync.now();
  await until(() => expect(evening.state.waiting).toEqual([]));
}

function figures({ state: book }: DoorSession): (number | undefined)[] {
  return [book.inBuilding, book.counts?.outside, book.counts?.inside];
}

function said({ kind, people }: ScanResult): [string, number] {
  return [kind, people];
}

/** Actions that were told, without what is different each time. */
function toldWays(actions: readonly Action[]): unknown[] {
  return actions.map((action) => {
    if (action.kind === "undo") return "undo";
    return [action.kind, action.way, action.offline?.verdict, action.offline?.people];
  });
}

test("online the server lets out and in again, and the figure follows at once", async () => {
  const evening = await start();
  expect(said(await evening.scan(TICKET, { way: "out", people: 3 }))).toEqual(["let_out", 3]);
  expect(figures(evening)).toEqual([1, 3, 4]);
  const back = await evening.scan(TICKET);
  expect([said(back), back.party?.outside]).toEqual([["in_again", 3], 0]);
  expect(figures(evening)).toEqual([4, 0, 4]);
  expect(server.asked.filter(({ path }) => path === "/scans").map(({ body }) => body.way)).toEqual(["out", "any"]);
});

test("a server of before is sent no way, and answers as it did", async () => {
  server.reentry = undefined;
  server.figure = { in_building: 4 };
  const evening = await start();
  expect(said(await evening.scan(TICKET))).toEqual(["already_in", 0]);
  expect(server.asked.find(({ path }) => path === "/scans")!.body).not.toHaveProperty("way");
  await goAway(evening);
  expect(said(await evening.scan(TOKENS[1]!))).toEqual(["admitted", 2]);
  await comeBack(evening);
  expect(server.sent.every((action) => !("way" in action))).toBe(true);
});

test("without a network the list lets out and in again, also after a kill, and all of it is told once", async () => {
  let evening = await start();
  await goAway(evening);
  expect(said(await evening.scan(TICKET, { way: "out", people: 3 }))).toEqual(["let_out", 3]);
  expect(figures(evening)).toEqual([1, 3, 4]);
  evening.stop();
  evening = await start();
  await until(() => expect(evening.sync.isAway).toBe(true));
  expect(figures(evening)).toEqual([1, 3, 4]);
  expect(evening.state.parties.noShows(new Map(), { until: 0, now: 1 })).toMatchObject({ parties: 1, places: 2 });
  expect(said(await evening.scan(TICKET, { way: "out", people: 2 }))).toEqual(["too_many", 0]);
  expect(said(await evening.scan(TICKET, { way: "again", people: 1 }))).toEqual(["in_again", 1]);
  expect(said(await evening.scan(TICKET))).toEqual(["in_again", 2]);
  expect(said(await evening.scan(TICKET))).toEqual(["already_in", 0]);
  expect(figures(evening)).toEqual([4, 0, 4]);
  await comeBack(evening);
  expect(toldWays(server.sent)).toEqual([
    ["scan", "out", "let_out", 3],
    ["scan", "out", "too_many", 0],
    ["scan", "again", "in_again", 1],
    ["scan", "again", "in_again", 2],
    ["scan", "any", "already_in", 0],
  ]);
  expect(server.parties[0]).toMatchObject({ admitted: 4, outside: 0 });
  expect(evening.state.aside).toEqual([]);
});

test("undone without a network they count as before, and fewer are let out after all", async () => {
  const evening = await start();
  await goAway(evening);
  const out = await evening.scan(TICKET, { way: "out" });
  expect(said(await evening.correct(out, 1))).toEqual(["let_out", 1]);
  expect(figures(evening)).toEqual([3, 1, 4]);
  const again = await evening.scan(TICKET);
  await evening.undo(again);
  expect(figures(evening)).toEqual([3, 1, 4]);
  await comeBack(evening);
  expect(server.parties[0]).toMatchObject({ admitted: 4, outside: 1 });
});

test("nobody goes out unless staff let them; who is out comes back", async () => {
  server.reentry = false;
  server.parties = [await aParty(0, { seats: 4, admitted: 4, outside: 2 })];
  const evening = await start();
  await goAway(evening);
  expect(said(await evening.scan(TICKET, { way: "out" }))).toEqual(["no_reentry", 0]);
  expect(said(await evening.scan(TICKET))).toEqual(["in_again", 2]);
});

test("who stands here is asked when some are out and some to come", async () => {
  server.parties = [await aParty(0, { seats: 4, admitted: 2, outside: 1 })];
  const evening = await start();
  await goAway(evening);
  expect(said(await evening.scan(TICKET))).toEqual(["some_out", 0]);
  expect(said(await evening.scan(TICKET, { way: "in", people: 2, seen: 2 }))).toEqual(["admitted", 2]);
  expect(said(await evening.scan(TICKET, { way: "again", people: 1, seen: 3 }))).toEqual(["in_again", 1]);
});

test("people without a ticket leave as a number, and no more come back", async () => {
  const evening = await start();
  await goAway(evening);
  expect(said(await evening.walkIn(1, "again"))).toEqual(["none_out", 0]);
  expect(said(await evening.walkIn(5, "out"))).toEqual(["too_many", 0]);
  expect(said(await evening.walkIn(2, "out"))).toEqual(["let_out", 2]);
  await evening.scan(TICKET, { way: "out", people: 1 });
  expect(figures(evening)).toEqual([1, 3, 4]);
  expect(said(await evening.walkIn(3, "again"))).toEqual(["too_many", 0]);
  expect(said(await evening.walkIn(2, "again"))).toEqual(["in_again", 2]);
  expect(figures(evening)).toEqual([3, 1, 4]);
  await comeBack(evening);
  expect(toldWays(server.sent).slice(2)).toEqual([
    ["walk_in", "out", "let_out", 2],
    ["scan", "out", "let_out", 1],
    ["walk_in", "again", "too_many", 0],
    ["walk_in", "again", "in_again", 2],
  ]);
});

test("an exit that the server could not count is shown, for no conflict tells of it", async () => {
  const evening = await start();
  await goAway(evening);
  const out = await evening.scan(TICKET, { way: "out", people: 2 });
  const none = { first: null, evening: null, party: null, undone: false };
  const counted = { ...none, scan_id: out.action.scan_id, verdict: "none_in" as const, people: 0 };
  server.counted.set(out.action.scan_id, counted);
  await comeBack(evening);
  expect(evening.state.aside).toMatchObject([{ people: 2, counted: 0, isOut: true }]);
});

test("a ticket that is not on the list lets nobody out", async () => {
  const evening = await start();
  await goAway(evening);
  expect(said(await evening.scan(TOKENS[9]!, { way: "out" }))).toEqual(["none_in", 0]);
});
