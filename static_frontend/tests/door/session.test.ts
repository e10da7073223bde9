import "fake-indexeddb/auto";

import { deleteDB } from "idb";
import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { DoorSession, NoAnswer } from "../../src/door/sync/session.ts";
import { Unreachable, Refused } from "../../src/door/sync/server.ts";
import { Store, type StoredData } from "../../src/door/sync/store.ts";
import { aConflict, aParty, aProblem, FakeServer, SITE, TOKENS } from "./stage.ts";
import { until } from "../until.ts";

const DEVICE = { token: "secret", label: "Door A", performanceId: 7, behind: 0 };

const HOUR = 3_600_000;
const RIGHT = { clock: Date.now, ticks: performance.now.bind(performance) };
const TODAY = () => RIGHT.clock();

let passed: number;
let server: FakeServer;
let open: DoorSession[];
/** How many people are in, each time that something changed. */
let inside: (number | undefined)[];
let stores: Store[];

beforeEach(async () => {
  server = new FakeServer();
  server.parties = await Promise.all([0, 1, 2].map(async (n) => await aParty(n)));
  vi.stubGlobal("fetch", server.fetch);
  open = [];
  inside = [];
  stores = [];
  passed = 0;
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const evening of open) evening.stop();
  // As a browser does when its page is gone.
  for (const store of stores) await store.wipe();
  await deleteDB("azionelab-door");
});

/** The page as it starts, on a phone that may hold something of before. */
async function start(): Promise<DoorSession> {
  const store = await Store.open();
  stores.push(store);
  let contents: StoredData = await store.read();
  if (!contents.device) {
    await store.keepDevice(DEVICE);
    contents = await store.read();
  }
  const evening = new DoorSession(contents.device!, contents, store, () => {
    inside.push(evening.state.counts?.inside);
  });
  open.push(evening);
  evening.start();
  return evening;
}

/** The page is gone, as after a crash: nothing of it runs any more. */
function kill(evening: DoorSession): void {
  evening.stop();
}

const listed = async (evening: DoorSession) =>
  await until(() => expect(evening.state.listedAt).toBeDefined());
const sent = async (evening: DoorSession) =>
  await until(() => expect(evening.state.waiting).toHaveLength(0));

async function startAndLoseNetwork(): Promise<DoorSession> {
  const evening = await start();
  await listed(evening);
  server.isAway = true;
  return evening;
}

async function networkReturns(evening: DoorSession): Promise<void> {
  server.isAway = false;
  evening.sync.now();
  await sent(evening);
}

/** It is now so many hours later, by all clocks of this phone. */
function passes(hours: number): void {
  passed += hours * HOUR;
  isSetBy(0);
  vi.spyOn(performance, "now").mockImplementation(() => RIGHT.ticks() + passed);
}

/** Somebody sets the phone's clock so many hours off. */
function isSetBy(hours: number): void {
  vi.spyOn(Date, "now").mockImplementation(() => TODAY() + passed + hours * HOUR);
}

const ticket = (n: number): string => SITE + TOKENS[n]!;
const partyAt = (n: number) => server.parties[n]!.admitted;

test("online the server decides, and nothing waits", async () => {
  const evening = await start();
  await listed(evening);
  const told = await evening.scan(ticket(0));
  expect(told).toMatchObject({ kind: "admitted", people: 2, offline: false });
  expect(told.party).toMatchObject({ name: "Party 0", admitted: 2 });
  expect(evening.state.waiting).toHaveLength(0);
  expect(evening.state.counts).toMatchObject({ inside: 2, to_come: 4 });
});

test("without a network the list decides at once, own scans counted", async () => {
  const evening = await startAndLoseNetwork();
  expect(await evening.scan(ticket(0))).toMatchObject({ kind: "admitted", people: 2, offline: true });
  const again = await evening.scan(ticket(0));
  expect(again).toMatchObject({ kind: "already_in", people: 0 });
  expect(again.firstHere).toBeDefined();
  expect(evening.state.counts).toMatchObject({ inside: 2, to_come: 4 });
  // Known to be away: nobody waits for another request.
  const asked = server.asked.length;
  expect((await evening.scan("AAAA 0001")).kind).toBe("admitted");
  expect(server.asked.length).toBe(asked);
});

test("a note is there without a network, and a changed one comes with the next sync", async () => {
  const noted = { note: "Wheelchair, row 1", has_note: true };
  server.parties = [await aParty(0, noted), await aParty(1)];
  const evening = await startAndLoseNetwork();
  kill(evening);
  const again = await start();
  expect(again.state.parties.search("Party 0").parties[0]).toMatchObject(noted);
  expect((await again.scan(ticket(0))).party).toMatchObject(noted);
  server.parties = server.parties.map((party) => ({ ...party, note: "Row 2", has_note: true }));
  await networkReturns(again);
  await until(() => expect(again.state.parties.find("AAAA0001")).toMatchObject({ note: "Row 2" }));
});

test("an answer brings a note that is newer than the list", async () => {
  const evening = await start();
  await listed(evening);
  server.parties[0] = await aParty(0, { note: "Row 2", has_note: true });
  expect((await evening.scan(ticket(0))).party).toMatchObject({ note: "Row 2" });
  expect(evening.state.parties.find("AAAA0000")).toMatchObject({ note: "Row 2", has_note: true });
});

test("when the network is back all is sent, in order, once", async () => {
  const evening = await startAndLoseNetwork();
  const first = await evening.scan(ticket(0));
  await evening.scan(ticket(0));
  await evening.undo(first);
  await evening.scan(ticket(0), { people: 1, seen: 0 });
  await networkReturns(evening);
  expect(server.sent.map(({ kind }) => kind).slice(-4)).toEqual(["scan", "scan", "undo", "scan"]);
  expect(partyAt(0)).toBe(1);
  const asked = server.sent.length;
  evening.sync.now();
  await until(() => expect(server.asked.at(-1)!.body.actions).toEqual([]));
  expect(server.sent.length).toBe(asked);
});

test("what was asked for is not part of what is told: the people and the verdict are", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0), { people: 1, seen: 0 });
  await networkReturns(evening);
  const [told] = server.sent;
  expect(told).toMatchObject({ code: ticket(0), offline: { verdict: "admitted", people: 1 } });
  expect(Object.keys(told!).sort()).toEqual(["code", "kind", "offline", "scan_id"]);
});

test("a scan whose answer was lost is the same scan when it is told", async () => {
  const evening = await start();
  await listed(evening);
  server.answerIsLost = true;
  const told = await evening.scan(ticket(0));
  expect(told).toMatchObject({ kind: "admitted", people: 2, offline: true });
  server.answerIsLost = false;
  await networkReturns(evening);
  expect(server.sent.at(-1)!.scan_id).toBe(told.action.scan_id);
  expect(partyAt(0)).toBe(2);
  expect(evening.state.counts!.inside).toBe(2);
});

test("a killed page goes on where it was", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  await evening.scan(ticket(1));
  kill(evening);
  const next = await start();
  expect(next.state.waiting).toHaveLength(2);
  expect(await next.scan(ticket(0))).toMatchObject({ kind: "already_in", offline: true });
  await networkReturns(next);
  expect(server.sent.map(({ kind }) => kind)).toHaveLength(3);
  expect([partyAt(0), partyAt(1)]).toEqual([2, 2]);
});

test("a crash between sending and forgetting sends again, and counts once", async () => {
  const evening = await startAndLoseNetwork();
  const told = await evening.scan(ticket(0));
  server.isAway = false;
  server.answerIsLost = true; // obeyed, but the page never learns of it
  evening.sync.now();
  await until(() => expect(partyAt(0)).toBe(2));
  kill(evening);
  server.answerIsLost = false;
  const next = await start();
  await sent(next);
  const ids = server.sent.map(({ scan_id }) => scan_id);
  expect(ids.filter((id) => id === told.action.scan_id).length).toBeGreaterThan(1);
  expect(partyAt(0)).toBe(2);
  expect(next.state.counts!.inside).toBe(2);
});

test("long queues go in batches that are small enough", async () => {
  const evening = await startAndLoseNetwork();
  for (let n = 0; n < 250; n += 1) await evening.scan(`no ticket ${n} ${"x".repeat(400)}`);
  await networkReturns(evening);
  const batches = server.asked.filter(({ body }) => body?.actions?.length);
  expect(batches.length).toBeGreaterThan(2);
  for (const { body } of batches) {
    expect(body.actions.length).toBeLessThanOrEqual(100);
    expect(JSON.stringify(body).length).toBeLessThan(64_000);
  }
  const codes = server.sent.flatMap((action) => (action.kind === "scan" ? [action.code] : []));
  expect(new Set(codes).size).toBe(250);
  expect(codes.map((code) => Number(code.split(" ")[2]))).toEqual([...Array(250).keys()]);
});

test("one that the server cannot read is put aside and shown; the others arrive", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  const poison = await evening.scan("poison");
  await evening.scan(ticket(1));
  const usual = server.fetch;
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    const isPoisoned = String(request.body).includes("poison") && !server.isAway;
    if (isPoisoned) server.instead.push(aProblem(422, "invalid-fields", "Is not valid."));
    return await usual(address, request);
  });
  await networkReturns(evening);
  expect([partyAt(0), partyAt(1)]).toEqual([2, 2]);
  expect(evening.state.aside).toMatchObject([{ scanId: poison.action.scan_id, reason: "Is not valid." }]);
  kill(evening);
  expect((await start()).state.aside).toHaveLength(1);
});

test("a result that cannot be cured is forgotten and shown", async () => {
  const evening = await startAndLoseNetwork();
  const told = await evening.scan(ticket(0));
  server.isAway = false;
  const usual = server.fetch;
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    const answer = await usual(address, request);
    const said = await answer.json();
    said.results = said.results.map(() => ({ scan_id: told.action.scan_id, verdict: null, problem: "scan-reused" }));
    return new Response(JSON.stringify(said));
  });
  evening.sync.now();
  await sent(evening);
  expect(evening.state.aside).toMatchObject([{ reason: "scan-reused", people: 2, counted: 0 }]);
});

test("what is sent while another one is written down does not wait again", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  const enqueue = Store.prototype.enqueue;
  let write: () => void = () => {};
  vi.spyOn(Store.prototype, "enqueue").mockImplementation(async function (this: Store, done) {
    await new Promise<void>((resolve) => (write = resolve));
    return await enqueue.call(this, done);
  });
  const second = evening.scan(ticket(1));
  await until(() => expect(Store.prototype.enqueue).toHaveBeenCalled());
  await networkReturns(evening);
  server.isAway = true;
  write();
  const { action } = await second;
  expect(evening.state.waiting.map((one) => one.action.scan_id)).toEqual([action.scan_id]);
});

test("a ticket that is not on the list waits for a person's decision, and is told then", async () => {
  const evening = await startAndLoseNetwork();
  const told = await evening.scan(ticket(9));
  expect(told.kind).toBe("not_listed");
  expect(evening.state.waiting).toHaveLength(0);
  await evening.settle(told, 3);
  expect(evening.state.waiting[0]!.action).toMatchObject({
    code: ticket(9),
    offline: { verdict: "not_listed", people: 3 },
  });
  expect((await evening.scan("just words")).kind).toBe("unknown");
});

test.each([
  ["a ticket", ticket(9)],
  ["a reference", "zzzz-9999"],
])("who is in by %s that is not on the list is not let in again", async (_what, code) => {
  const evening = await startAndLoseNetwork();
  await evening.settle(await evening.scan(code), 2);
  const again = await evening.scan(` ${code.replace("-", " ")}`);
  expect(again).toMatchObject({ kind: "already_in", people: 0, offline: true });
  expect(again.firstHere).toBe(evening.state.waiting[0]!.at);
  expect((await evening.scan(ticket(8))).kind).toBe("not_listed");
  kill(evening);
  const restarted = await start();
  expect((await restarted.scan(code)).kind).toBe("already_in");
  // The server does not know the code either.
  await networkReturns(restarted);
  server.isAway = true;
  expect((await restarted.scan(code)).kind).toBe("already_in");
});

test("who was sent away, or whose admission was undone, can be let in without the list", async () => {
  const evening = await startAndLoseNetwork();
  await evening.settle(await evening.scan(ticket(9)), 0);
  const decided = await evening.settle(await evening.scan(ticket(9)), 2);
  await evening.undo(decided);
  expect((await evening.scan(ticket(9))).kind).toBe("not_listed");
  const online = await evening.settle(await evening.scan(ticket(9)), 2);
  await networkReturns(evening);
  await evening.undo(online);
  server.isAway = true;
  expect((await evening.scan(ticket(9))).kind).toBe("not_listed");
});

test("the ticket of who by the list did not confirm waits for a person's decision, their reference not", async () => {
  server.parties[0] = await aParty(0, { state: "pending" });
  const evening = await startAndLoseNetwork();
  expect((await evening.scan("AAAA0000")).kind).toBe("not_confirmed");
  const told = await evening.scan(ticket(0));
  expect(told).toMatchObject({ kind: "not_listed", party: { name: "Party 0" } });
  await evening.settle(told, 2);
  expect(evening.state.counts).toMatchObject({ inside: 2 });
  for (const code of [ticket(0), "AAAA0000"]) expect((await evening.scan(code)).kind).toBe("already_in");
});

test("what the list says while a scan is answered does not undo the answer", async () => {
  const evening = await start();
  await listed(evening);
  const usual = server.fetch;
  let release: () => void = () => {};
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    const answer = await usual(address, request);
    if (address.endsWith("/sync")) await new Promise<void>((resolve) => (release = resolve));
    return answer;
  });
  evening.sync.now(); // answered before the scan, and arrives after it
  await until(() => expect(server.asked.at(-1)!.path).toBe("/sync"));
  await evening.scan(ticket(0));
  inside = [];
  release();
  vi.stubGlobal("fetch", usual);
  await until(() => expect(evening.state.parties.search("Party 0").parties[0]).toMatchObject({ admitted: 2 }));
  await until(() => expect(new Set(inside)).toEqual(new Set([2])));
  server.isAway = true;
  expect((await evening.scan(ticket(0))).kind).toBe("already_in");
});

/** Let requests to an address that ends so have `way` with what the server says; others are as they are. */
function route(end: string, way: (ask: () => Promise<Response>) => Promise<Response>): void {
  const before = fetch as typeof server.fetch;
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    const ask = async () => await before(address, request);
    return address.endsWith(end) ? await way(ask) : await ask();
  });
}

/** Hold requests back on their way there, or their answers on the way back, until they are let go. */
function hold(end: string, way: "there" | "back"): () => void {
  let letGo: () => void = () => {};
  const released = new Promise<void>((resolve) => (letGo = resolve));
  route(end, async (ask) => {
    if (way === "there") await released;
    const answer = await ask();
    await released;
    return answer;
  });
  return letGo;
}

test("a scan that the server took, and whose answer was lost, is counted once while a sync is under way", async () => {
  const evening = await start();
  await listed(evening);
  const letSync = hold("/sync", "there");
  evening.sync.now();
  route("/scans", async (ask) => {
    await ask();
    throw new TypeError("Failed to fetch");
  });
  for (const n of [0, 1]) {
    expect(await evening.scan(ticket(n))).toMatchObject({ kind: "admitted", offline: true });
  }
  expect([partyAt(0), evening.state.counts!.inside]).toEqual([2, 4]);
  inside = [];
  letSync();
  await sent(evening);
  expect(new Set(inside)).toEqual(new Set([4]));
  expect([partyAt(0), partyAt(1)]).toEqual([2, 2]);
});

test("a scan that a sync counts before it is answered is counted once", async () => {
  const evening = await start();
  await listed(evening);
  const letAnswer = hold("/scans", "back");
  const told = evening.scan(ticket(0));
  await until(() => expect(partyAt(0)).toBe(2));
  const asked = server.asked.length;
  evening.sync.now();
  await until(() => expect(server.asked.length).toBeGreaterThan(asked));
  letAnswer();
  expect(await told).toMatchObject({ kind: "admitted", offline: false });
  expect(evening.state.counts!.inside).toBe(2);
});

test("what was answered is in the counts after a kill, walk-ins too", async () => {
  const evening = await start();
  await listed(evening);
  // No sync tells it.
  hold("/sync", "there");
  evening.sync.now();
  await evening.walkIn(6);
  const undone = await evening.walkIn(1);
  await evening.scan(ticket(0));
  await evening.undo(undone);
  const { counts } = evening.state;
  expect(counts).toEqual({ expected: 12, inside: 8, to_come: 4, free: 4 });
  kill(evening);
  server.isAway = true;
  vi.stubGlobal("fetch", server.fetch);
  const restarted = await start();
  expect(restarted.state.counts).toEqual(counts);
  expect((await restarted.walkIn(5)).kind).toBe("full");
});

test("walk-ins without a network take what this phone knows to be free", async () => {
  server.free = 2;
  const evening = await startAndLoseNetwork();
  expect(await evening.walkIn(2)).toMatchObject({ kind: "admitted", people: 2, offline: true });
  expect(await evening.walkIn(1)).toMatchObject({ kind: "full", people: 0 });
  await networkReturns(evening);
  expect(server.sent.slice(-2)).toMatchObject([
    { kind: "walk_in", people: 2, offline: { verdict: "admitted", people: 2 } },
    { kind: "walk_in", people: 1, offline: { verdict: "full", people: 0 } },
  ]);
});

const allReleased = async () => {
  server.parties = await Promise.all([0, 1].map(async (n) => await aParty(n, { released: 2 })));
  server.free = 4;
};

test("without a network late comers take free places, which walk-ins then do not get", async () => {
  await allReleased();
  const evening = await startAndLoseNetwork();
  expect(evening.state.counts).toEqual({ expected: 0, inside: 0, to_come: 0, free: 4 });
  const late = await evening.scan(ticket(0), { people: 2, seen: 0, late: true });
  expect(late.kind).toBe("admitted");
  expect(evening.state.counts).toEqual({ expected: 2, inside: 2, to_come: 0, free: 2 });
  expect((await evening.walkIn(4)).kind).toBe("full");
  await evening.undo(late);
  expect(evening.state.counts).toEqual({ expected: 0, inside: 0, to_come: 0, free: 4 });
});

test("a party of whom some were released and some are to come counts as both", async () => {
  server.parties = [await aParty(0, { seats: 4, released: 3 }), await aParty(1)];
  server.free = 5;
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0), { people: 3, seen: 0, late: true });
  expect(evening.state.counts).toEqual({ expected: 5, inside: 3, to_come: 2, free: 3 });
});

test("people of a ticket that is not listed are inside, and nobody else is awaited less", async () => {
  const evening = await startAndLoseNetwork();
  const before = evening.state.counts!;
  await evening.settle(await evening.scan(ticket(9)), 3);
  expect(evening.state.counts).toEqual({ ...before, inside: 3 });
});

test("what an answer says of late comers is in the counts at once", async () => {
  await allReleased();
  const evening = await start();
  await listed(evening);
  server.isAway = true; // for the next sync, which would tell by itself
  const usual = server.fetch;
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    server.isAway = address.endsWith("/sync");
    return await usual(address, request);
  });
  const told = await evening.scan(ticket(0), { people: 2, seen: 0, late: true });
  expect(told).toMatchObject({ kind: "admitted", offline: false, party: { released: 0 } });
  expect(evening.state.counts).toEqual({ expected: 2, inside: 2, to_come: 0, free: 2 });
  server.parties.push(await aParty(2));
  await evening.scan(ticket(2));
  expect(evening.state.counts).toEqual({ expected: 2, inside: 4, to_come: 0, free: 2 });
});

test.each(["release", "restore"] as const)("%s does not overtake what waits", async (change) => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  const unsent = await evening[change]().catch((error: unknown) => error);
  expect(unsent).toBeInstanceOf(Unreachable);
  expect(server.asked.some(({ path }) => path === "/release")).toBe(false);
  server.isAway = false; // and nobody has noticed yet
  await evening[change]();
  const release = server.asked.findIndex(({ path }) => path === "/release");
  const told = server.asked.findLastIndex(({ body }) => body?.actions?.length);
  expect([release > told, partyAt(0)]).toEqual([true, 2]);
  expect(evening.state.waiting).toHaveLength(0);
});

test("places that are held again are nobody's without a network, also after a kill", async () => {
  await allReleased();
  const evening = await start();
  await listed(evening);
  hold("/sync", "there");
  evening.sync.now();
  await evening.restore();
  expect(evening.state.counts).toEqual({ expected: 2, inside: 0, to_come: 2, free: 2 });
  kill(evening);
  server.isAway = true;
  vi.stubGlobal("fetch", server.fetch);
  expect((await (await start()).walkIn(3)).kind).toBe("full");
});

test("fewer came: undone, and scanned with the number, in that order", async () => {
  const evening = await startAndLoseNetwork();
  const told = await evening.scan(ticket(0));
  expect(await evening.correct(told, 1)).toMatchObject({ kind: "admitted", people: 1 });
  await networkReturns(evening);
  expect(server.sent.slice(-3).map(({ kind }) => kind)).toEqual(["scan", "undo", "scan"]);
  expect(partyAt(0)).toBe(1);
});

test("a phone whose clock is an hour wrong tells the server's time", async () => {
  server.serverTime = () => new Date(Date.now() + 3_600_000);
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  const at = Date.parse(evening.state.waiting[0]!.at) - Date.now();
  expect(Math.abs(at - 3_600_000)).toBeLessThan(2_000);
  kill(evening);
  expect((await start()).state.clock.stored.behind).toBeGreaterThan(3_500_000);
});

test("when the evening is over the list goes, and so does the phone's key", async () => {
  const evening = await start();
  await listed(evening);
  server.closed = true;
  evening.sync.now();
  await until(() => expect(evening.state.ended).toBe("closed"));
  await until(async () => {
    const contents = await (await Store.open()).read();
    expect([contents.device, contents.parties]).toEqual([undefined, []]);
  });
});

test("a scan that is refused because the evening is over ends it here", async () => {
  const evening = await start();
  await listed(evening);
  server.instead = [aProblem(403, "door-closed")];
  await expect(evening.scan(ticket(0))).rejects.toBeInstanceOf(Refused);
  await until(() => expect(evening.state.ended).toBe("closed"));
  expect(evening.state.parties.search("Party").parties).toEqual([]);
});

test("over by the clock: the names go without a network, what waits is kept and sent", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  passes(4);
  await evening.lookAtClock();
  expect(evening.state.ended).toBe("closed");
  expect(evening.state.parties.search("Party").parties).toEqual([]);
  expect(evening.state.waiting).toHaveLength(1);
  server.closed = true;
  await networkReturns(evening);
  expect(partyAt(0)).toBe(2);
});

test.each([24, -24])("a phone's clock that is set by %i hours ends nothing, and dates nothing", async (hours) => {
  const evening = await startAndLoseNetwork();
  isSetBy(hours);
  await evening.lookAtClock();
  expect(evening.state.ended).toBeUndefined();
  expect(evening.state.clock.hasJumped).toBe(true);
  expect(await evening.scan(ticket(0))).toMatchObject({ kind: "admitted", offline: true });
  expect(Math.abs(Date.parse(evening.state.waiting[0]!.at) - TODAY())).toBeLessThan(2_000);
  kill(evening);
  const restarted = await start();
  await restarted.lookAtClock();
  expect(await restarted.scan(ticket(1))).toMatchObject({ kind: "admitted", offline: true });
  expect(Math.abs(Date.parse(restarted.state.waiting[1]!.at) - TODAY())).toBeLessThan(2_000);
  expect(restarted.state.clock.hasJumped).toBe(true);
  await networkReturns(restarted);
  expect([restarted.state.ended, restarted.state.clock.hasJumped]).toEqual([undefined, false]);
});

test("a phone a day slow that is put right ends nothing, also while it is off", async () => {
  isSetBy(-24);
  const evening = await startAndLoseNetwork();
  kill(evening);
  isSetBy(0);
  const restarted = await start();
  await restarted.lookAtClock();
  expect(restarted.state.ended).toBeUndefined();
  expect(await restarted.scan(ticket(0))).toMatchObject({ kind: "admitted", offline: true });
  expect(restarted.state.clock.hasJumped).toBe(true);
});

test("a time that passed is one also after a restart: the evening ends", async () => {
  const evening = await startAndLoseNetwork();
  passes(2);
  await evening.lookAtClock();
  kill(evening);
  const restarted = await start();
  await restarted.lookAtClock();
  expect(restarted.state.ended).toBeUndefined();
  passes(2);
  await restarted.lookAtClock();
  expect(restarted.state.ended).toBe("closed");
});

/** Over by the clock, with a scan that waits. */
async function overWithoutNetwork(): Promise<DoorSession> {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  passes(4);
  await evening.lookAtClock();
  expect(evening.state.ended).toBe("closed");
  return evening;
}

test("an evening that was put off opens its door again, for as long as it lasts now", async () => {
  const before = await overWithoutNetwork();
  kill(before);
  const evening = await start();
  server.closesAt = new Date(Date.now() + 5 * 3_600_000);
  await networkReturns(evening);
  expect(evening.state.ended).toBeUndefined();
  expect(evening.state.parties.search("Party 1").parties).toHaveLength(1);
  await until(() => expect(evening.sync.isAway).toBe(false));
  expect(await evening.scan(ticket(1))).toMatchObject({ kind: "admitted", offline: false });
  kill(evening);
  const contents = await (await Store.open()).read();
  expect([contents.device, contents.parties.length]).toEqual([
    { ...DEVICE, behind: expect.any(Number), known: expect.any(Number), jump: 0 },
    3,
  ]);
});

test("an answer to what was asked before the end brings no name back", async () => {
  const evening = await start();
  await listed(evening);
  const usual = server.fetch;
  let release: () => void = () => {};
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    const answer = await usual(address, request);
    await new Promise<void>((resolve) => (release = resolve));
    return answer;
  });
  server.complete = false;
  evening.sync.now();
  await until(() => expect(server.asked.length).toBeGreaterThan(1));
  server.isAway = true;
  const action = { kind: "walk_in", scan_id: crypto.randomUUID(), people: 1 } as const;
  await evening.state.enqueue({ action, reference: null, people: 1, at: new Date().toISOString() });
  await evening.state.end("closed");
  release();
  await until(() => expect(evening.sync.isAway).toBe(true));
  expect(evening.state.ended).toBe("closed");
  expect(evening.state.parties.search("Party").parties).toEqual([]);
  expect((await (await Store.open()).read()).parties).toEqual([]);
});

test.each(["revoked", "unknown"] as const)("who is out of it (%s) takes no list", async (why) => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  await evening.state.end(why);
  await networkReturns(evening);
  expect(evening.state.ended).toBe(why);
  expect(evening.state.parties.search("Party").parties).toEqual([]);
  expect((await (await Store.open()).read()).parties).toEqual([]);
});

test("revoked: everything goes, after what waits was heard", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  server.instead = [aProblem(401, "device-revoked")];
  await networkReturns(evening);
  expect(evening.state.ended).toBe("revoked");
  expect(server.sent.at(-1)).toMatchObject({ code: ticket(0) });
});

test("a phone that is not known any more keeps what waits, and nobody's name", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  server.isAway = false;
  server.instead = [aProblem(401)];
  evening.sync.now();
  await until(() => expect(evening.state.ended).toBe("unknown"));
  expect(evening.state.waiting).toHaveLength(1);
  expect(evening.state.parties.search("Party").parties).toEqual([]);
});

const PROBLEM = { "Content-Type": "application/problem+json" };
test.each([
  ["a portal's 401", { status: 401, body: { error: "login" } }],
  ["a portal's 403", { status: 403, body: { error: "blocked" } }],
  ["a firewall's problem", { status: 403, body: { type: "about:blank" }, headers: PROBLEM }],
  ["a problem without our type", { status: 403, body: { type: "/errors/403" }, headers: PROBLEM }],
  ["a 401 that asks for no token", { status: 401, body: { type: "about:blank" }, headers: PROBLEM }],
])("%s is no answer of ours: nothing is wiped", async (_, answer) => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  server.isAway = false;
  server.instead = [answer];
  evening.sync.now();
  await until(() => expect(server.instead).toEqual([]));
  await until(() => expect(evening.sync.isAway).toBe(true));
  expect(evening.state.ended).toBeUndefined();
  expect(await evening.scan(ticket(1))).toMatchObject({ kind: "admitted", offline: true });
  await networkReturns(evening);
  expect([partyAt(0), partyAt(1)]).toEqual([2, 2]);
});

test.each([
  ["a sync without a time", "/sync", { parties: [] }],
  ["a sync whose time is none", "/sync", { server_time: "soon", parties: [] }],
  ["a sync without a list", "/sync", { server_time: "2026-11-25T20:41:07Z" }],
  ["nothing for a sync", "/sync", null],
  ["a scan without a verdict", "/scans", { status: "ok" }],
])("a foreign 200 with JSON is no answer: %s", async (_, path, body) => {
  const evening = await start();
  await listed(evening);
  const usual = server.fetch;
  let isForeign = true;
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    if (isForeign && address.endsWith(path)) return new Response(JSON.stringify(body));
    return await usual(address, request);
  });
  evening.sync.now();
  if (path === "/sync") await until(() => expect(evening.sync.isAway).toBe(true));
  expect(await evening.scan(ticket(0))).toMatchObject({ kind: "admitted", offline: true });
  isForeign = false;
  evening.sync.now();
  await sent(evening);
  expect(partyAt(0)).toBe(2);
});

test("a device of another performance is none any more", async () => {
  const evening = await start();
  await listed(evening);
  server.instead = [aProblem(403, "other-performance")];
  evening.sync.now();
  await until(() => expect(evening.state.ended).toBe("unknown"));
});

test("another version: it says so and keeps what waits", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(ticket(0));
  server.isAway = false;
  server.instead = [aProblem(409, "reload-needed")];
  evening.sync.now();
  await until(() => expect(evening.isOutdated).toBe(true));
  expect(evening.state.waiting).toHaveLength(1);
});

test("where nothing can be kept, nobody is let in without an answer", async () => {
  const evening = new DoorSession(DEVICE, undefined, undefined, () => {});
  open.push(evening);
  evening.start();
  await listed(evening);
  expect(evening.state.cannotStore).toBe(true);
  expect(await evening.scan(ticket(0))).toMatchObject({ kind: "admitted" });
  server.isAway = true;
  const failed = await evening.scan(ticket(1)).catch((error: unknown) => error);
  expect(failed).toBeInstanceOf(NoAnswer);
  server.isAway = false;
  const again = await (failed as NoAnswer).again();
  expect(again).toMatchObject({ kind: "admitted", people: 2 });
});

test("when the storage is full, nobody is let in who could not be written down", async () => {
  const evening = await startAndLoseNetwork();
  vi.spyOn(Store.prototype, "enqueue").mockRejectedValue(new DOMException("", "QuotaExceededError"));
  await expect(evening.scan(ticket(0))).rejects.toBeInstanceOf(NoAnswer);
  expect(evening.state.cannotStore).toBe(true);
});

test("what the server refuses is told in its words", async () => {
  const evening = await start();
  await listed(evening);
  server.instead = [aProblem(422, "invalid-fields", "Is not valid.")];
  const refused = await evening.scan("x").catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(Refused);
  expect((refused as Refused).message).toBe("Is not valid.");
});

test("everybody in the building is counted, whatever the books say, and of a server of before as well", async () => {
  // It tells who is counted, and the conflicts.
  server.conflicts = [aConflict(1)];
  const evening = await start();
  await until(() => expect(evening.state.inBuilding).toBe(2));
  expect(evening.state.knownAt).toBe(evening.state.listedAt!.toISOString());
  await evening.dismiss(["conflict 1"]);
  expect(evening.state.inBuilding).toBe(2);
  server.isAway = true;
  await evening.walkIn(3);
  const last = await evening.scan(TOKENS[9]!);
  await evening.settle(last, 4);
  expect(evening.state.inBuilding).toBe(9);
});

test("the server's figure goes on with what is done here, and comes back after a restart", async () => {
  server.figure = { in_building: 19, known_at: "2026-11-25T20:10:00Z" };
  const evening = await start();
  await until(() => expect(evening.state.inBuilding).toBe(19));
  server.isAway = true;
  const walkIns = await evening.walkIn(3);
  await evening.scan(TOKENS[0]!);
  await evening.undo(walkIns);
  expect(evening.state.inBuilding).toBe(21);
  evening.stop();
  const later = await start();
  expect(later.state.inBuilding).toBe(21);
  expect(later.state.knownAt).toBe("2026-11-25T20:10:00Z");
});

test("who ends it here is no door at once, and the server is told when it can be", async () => {
  const evening = await startAndLoseNetwork();
  await evening.scan(TOKENS[0]!);
  await evening.endEvening();
  expect([evening.state.ended, evening.state.parties.listed("AAAA0000")]).toEqual(["closed", undefined]);
  kill(evening);
  const again = await start();
  expect([again.state.ended, again.state.waiting.length]).toEqual(["closed", 1]);
  server.isAway = false;
  again.sync.now();
  await until(async () => expect((await (await Store.open()).read()).device).toBeUndefined());
  const syncs = server.asked.filter(({ path }) => path === "/sync");
  expect(syncs.at(-1)!.body).toMatchObject({ done: true, actions: [{ code: TOKENS[0] }] });
  // Not put off: a person ended it.
  expect(again.state.ended).toBe("closed");
});

test("who ends it with nothing waiting is put away at once", async () => {
  const evening = await start();
  await listed(evening);
  await evening.endEvening();
  await until(() => expect(server.asked.at(-1)!.body.done).toBe(true));
  await until(async () => expect((await (await Store.open()).read()).device).toBeUndefined());
});
