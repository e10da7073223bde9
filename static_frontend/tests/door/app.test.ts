import "fake-indexeddb/auto";

import { readFileSync } from "node:fs";

import { deleteDB } from "idb";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";

import { App } from "../../src/door/app.ts";
import { DoorSession } from "../../src/door/sync/session.ts";
import { PinLock } from "../../src/door/phone/pin-lock.ts";
import { renew } from "../../src/door/app-cache.ts";
import { Store } from "../../src/door/sync/store.ts";
import { View } from "../../src/door/screen/view.ts";
import { Texts } from "../../src/door/screen/texts.ts";
import { aConflict, aParty, aProblem, FakeServer, TOKENS } from "./stage.ts";
import { until } from "../until.ts";

vi.mock("../../src/door/app-cache.ts", () => ({ renew: vi.fn() }));

const TEMPLATES = "../azionelab/templates/checkin";
const BEFORE = { token: "secret", label: "Door A", performanceId: 7, behind: 0 };

let server: FakeServer;
/** What was asked for, and with which token. */
let asked: string[];
let page: Document;
let started: () => DoorSession[];
/** What the server says of an invitation. */
let invited: () => Promise<Response>;

beforeEach(async () => {
  server = new FakeServer();
  server.parties = [await aParty(0)];
  asked = [];
  const evening = { id: 8, show_title: "Amleto", venue_name: "Sala", starts_at: "2026-11-27T19:30:00Z" };
  invited = async () => new Response(JSON.stringify(evening));
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    if (address.endsWith("/invitations")) return await invited();
    const token = new Headers(request.headers).get("Authorization") ?? "";
    asked.push(`${address.slice("/api/v1/checkin".length)} ${token}`.trim());
    if (!address.endsWith("/devices")) return await server.fetch(address, request);
    return new Response(JSON.stringify({ token: "new", label: "Door A", performance_id: 8 }));
  });
  const start = vi.spyOn(DoorSession.prototype, "start");
  started = () => start.mock.contexts as DoorSession[];
  location.hash = "#join=invitation";
  const store = await Store.open();
  await store.keepDevice(BEFORE);
  const scan_id = crypto.randomUUID();
  const at = new Date().toISOString();
  const offline = { at, verdict: "admitted", people: 2 } as const;
  const action = { kind: "scan", scan_id, code: TOKENS[0]!, offline } as const;
  await store.enqueue({ action, reference: "AAAA0000", people: 2, at });
});

afterEach(async () => {
  for (const evening of started()) evening.stop();
  await (await Store.open()).wipe();
  await deleteDB("azionelab-door");
});

/** The page, opened with an invitation to performance 8 on a phone that was at the door of 7. */
async function open(): Promise<void> {
  const html = readFileSync(`${TEMPLATES}/app.html`, "utf8")
    .replace('{% include "checkin/_this_phone.html" %}', readFileSync(`${TEMPLATES}/_this_phone.html`, "utf8"))
    .replace(/\{[{%].*?[%}]\}/g, "");
  page = new DOMParser().parseFromString(html, "text/html");
  await new App(page, named).start();
}

/** Words that say what they are called, and of how many. */
const named = new Texts({
  locale: "en",
  time_zone: "UTC",
  tones: {},
  words: new Proxy(
    { "release.left": "{again} of {num}", "release.silent": "silent: {phones}" } as Record<string, string>,
    { get: (some, name: string) => some[name] ?? `${name} {num}` },
  ),
});

const find = <Part extends HTMLElement = HTMLElement>(place: string) => page.querySelector<Part>(place)!;
const says = async (place: string, texts: string) =>
  await until(() => expect(find(`[data-${place}]`).textContent).toBe(texts));

function write(query: string): void {
  find<HTMLInputElement>("#query").value = query;
  find("#query").dispatchEvent(new Event("input", { bubbles: true }));
}

function sayYes(): void {
  page.querySelector<HTMLInputElement>("#label")!.value = "Door A";
  find("form[data-do=join]").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

const isDoorOfTheOther = async () =>
  await until(() => expect(asked.at(-1)).toBe("/performances/8/sync Bearer new"));
const partyIn = () => server.parties[0]!.admitted;

test("what waits of another evening is sent with its token, and that is said", async () => {
  await open();
  await says("join-sent", "join.sent 1");
  expect(asked[0]).toBe("/performances/7/sync Bearer secret");
  expect([partyIn(), find("[data-join-trouble]").hidden]).toEqual([2, true]);
  sayYes();
  await isDoorOfTheOther();
});

test("who is asked is told which evening it is about", async () => {
  await open();
  await says("join-evening", "Amleto, Friday, November 27, 2026, 19:30, Sala");
});

test.each([
  ["an old one", aProblem(410, "invitation-over"), "join.over "],
  ["one that is none", aProblem(422, "invalid-fields"), "join.refused "],
  ["a server of before", aProblem(404), ""],
  ["a server that is away", { status: 503, body: {} }, ""],
])("or what is wrong with the invitation: %s", async (_, { status, body }, texts) => {
  const headers = { "Content-Type": "application/problem+json" };
  let answered = false;
  invited = async () => {
    answered = true;
    return new Response(JSON.stringify(body), { status, headers });
  };
  await open();
  await until(() => expect(answered).toBe(true));
  await says("join-evening", texts);
});

test("what could not be sent when it was asked is sent by who says yes", async () => {
  server.isAway = true;
  await open();
  await says("join-trouble", "join.waiting 1");
  server.isAway = false;
  sayYes();
  await isDoorOfTheOther();
  expect(partyIn()).toBe(2);
});

test("who says yes before that is known is told first what would be lost", async () => {
  const usual = fetch;
  let fail: (error: Error) => void = () => {};
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    if (address.endsWith("/sync")) await new Promise((_, reject) => (fail = reject));
    return await usual(address, request);
  });
  await open();
  sayYes();
  vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
    if (address.includes("/performances/7/")) throw new TypeError("Failed to fetch");
    return await usual(address, request);
  });
  fail(new TypeError("Failed to fetch"));
  await says("join-trouble", "join.waiting 1");
  expect(asked).toEqual([]);
  expect((await (await Store.open()).read()).waiting).toHaveLength(1);
  sayYes();
  await isDoorOfTheOther();
  expect((await (await Store.open()).read()).waiting).toHaveLength(0);
});

describe("a locked phone", () => {
  const isLocked = () => !find("[data-lock]").hidden && find("main").hidden;

  beforeEach(async () => {
    await new PinLock(1_000).set("2468");
  });
  afterEach(() => localStorage.clear());

  test("shows who is invited the question, and to who goes back nothing of the evening", async () => {
    await open();
    expect([isLocked(), find("main").dataset["screen"]]).toEqual([false, "join"]);
    history.replaceState(null, "", "#");
    dispatchEvent(new Event("hashchange"));
    expect(isLocked()).toBe(true);
  });

  test("lets nobody in whose ticket is scanned while it is asked", async () => {
    await open();
    await says("join-sent", "join.sent 1");
    const before = server.asked.length;
    for (const key of [...TOKENS[0]!, "Enter"]) page.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([server.asked.slice(before), find("#verdict").textContent]).toEqual([[], ""]);
  });

  test("is no kiosk any more when its evening is over: what is left is for the staff", async () => {
    location.hash = "";
    localStorage.setItem("azionelab.door.kiosk", "yes");
    await open();
    await until(() => expect(started()[0]!.state.performance).toBeDefined());
    expect([isLocked(), page.body.dataset["kiosk"]]).toEqual([false, ""]);
    server.closed = true;
    started()[0]!.sync.now();
    await until(() => expect([isLocked(), page.body.dataset["kiosk"]]).toEqual([true, undefined]));
  });

  test("shows no answer to what was asked before it was locked", async () => {
    location.hash = "";
    localStorage.clear();
    await open();
    await until(() => expect(started()[0]!.state.waiting).toHaveLength(0));
    const usual = fetch;
    const held: { answer?: () => void } = {};
    vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
      const answered = await usual(address, request);
      if (address.endsWith("/scans")) await new Promise<void>((resolve) => (held.answer = resolve));
      return answered;
    });
    find<HTMLInputElement>("#new-pin").value = "2468";
    find("form[data-do=set-pin]").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
    await until(() => expect(find("[data-pin-set]").hidden).toBe(false));
    server.parties = [await aParty(0)];
    for (const key of [..."AAAA0000", "Enter"]) page.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await until(() => expect(held.answer).toBeDefined());
    find("[data-do=lock]").click();
    expect(isLocked()).toBe(true);
    const card = vi.spyOn(View.prototype, "card").mockImplementation(() => {});
    // For so long that it would say that it is asking.
    await new Promise((resolve) => setTimeout(resolve, 200));
    held.answer!();
    await until(() => expect(started()[0]!.state.requests.hasCounted).toBe(true));
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(card).not.toHaveBeenCalled();
  });
});

test("a kiosk whose page is too old loads a newer one by itself, and not again at once", async () => {
  location.hash = "";
  localStorage.setItem("azionelab.door.kiosk", "yes");
  await open();
  vi.spyOn(started()[0]!, "isOutdated", "get").mockReturnValue(true);
  Object.defineProperty(page, "hidden", { value: false });
  const age = vi.spyOn(performance, "now").mockReturnValue(60_000);
  page.dispatchEvent(new Event("visibilitychange"));
  await until(() => expect(find("[data-outdated]").hidden).toBe(false));
  expect(renew).not.toHaveBeenCalled();
  age.mockReturnValue(60_001);
  page.dispatchEvent(new Event("visibilitychange"));
  await until(() => expect(renew).toHaveBeenCalledTimes(1));
  localStorage.clear();
});

test("names that are hidden are hidden wherever they stand already", async () => {
  location.hash = "";
  server.parties = [await aParty(0, { name: "Ada Rossi" })];
  server.conflicts = [{ ...aConflict(0), name: "Ada Rossi" }];
  await open();
  const texts = () => ["[data-notices]", "[data-found]"].map((place) => find(place).textContent);
  await until(() => expect(started()[0]!.state.parties.listed("AAAA0000")).toBeDefined());
  write("rossi");
  await until(() => expect(find("[data-notices]").childElementCount).toBe(1));
  expect(find("[data-found]").textContent).toContain("Ada Rossi");
  find("[name=hidesNames]").click();
  find("[name=hidesNames]").dispatchEvent(new Event("change", { bubbles: true }));
  expect(texts().join()).not.toContain("Rossi");
  find("[name=hidesNames]").click();
  find("[name=hidesNames]").dispatchEvent(new Event("change", { bubbles: true }));
  expect(find("[data-found]").textContent).toContain("Ada Rossi");
  localStorage.clear();
});

test("a found party that becomes smaller, or is cancelled, is shown as it is now", async () => {
  location.hash = "";
  server.parties = [await aParty(0, { name: "Ada Rossi", seats: 4 })];
  await open();
  await until(() => expect(started()[0]!.state.waiting).toHaveLength(0));
  write("rossi");
  const buttons = () => page.querySelectorAll("[data-found] button").length;
  await until(() => expect(buttons()).toBe(2));
  server.parties = [await aParty(0, { name: "Ada Rossi", seats: 3, admitted: 2 })];
  started()[0]!.sync.now();
  await until(() => expect(buttons()).toBe(1));
  const ended = { at: "2026-11-27T18:05:00Z", by: "visitor" } as const;
  server.parties = [await aParty(0, { name: "", state: "cancelled", ended })];
  started()[0]!.sync.now();
  await until(() => expect(buttons()).toBe(0));
  expect(find("[data-found]").textContent).not.toContain("not_confirmed");
  expect(find("[data-found]").textContent).toContain("cancelled");
});

test("more than two conflicts can be put away at once, and stay away", async () => {
  location.hash = "";
  server.conflicts = [1, 2].map(aConflict);
  await open();
  const notices = () => page.querySelectorAll("[data-notices] li").length;
  const all = find("[data-all-seen]");
  await until(() => expect(notices()).toBe(2));
  expect(all.hidden).toBe(true);
  server.conflicts = [1, 2, 3].map(aConflict);
  started()[0]!.sync.now();
  await until(() => expect([notices(), all.hidden]).toEqual([3, false]));
  all.querySelector("button")!.click();
  await until(() => expect([notices(), all.hidden]).toEqual([0, true]));
  await until(async () => expect((await (await Store.open()).read()).dismissed).toHaveLength(3));
  server.conflicts = [1, 2, 3, 4].map(aConflict);
  started()[0]!.sync.now();
  await until(() => expect(notices()).toBe(1));
});

test("the sheet names doors that may have news, and says what taking a release back would do", async () => {
  location.hash = "";
  server.startsAt = new Date();
  server.parties.push(await aParty(1));
  await open();
  await says("release-ask", "release.ask 2");
  expect(find("[data-release-silent]").hidden).toBe(true);
  server.silent = ["Door B", "Door C"];
  started()[0]!.sync.now();
  await says("release-silent", "silent: Door B, Door C");
  const takeBack = page.querySelector<HTMLButtonElement>("[data-do=take-back]")!;
  expect(takeBack.disabled).toBe(true);
  server.parties = [await aParty(0, { seats: 5, released: 3 }), await aParty(1, { released: 1, state: "cancelled" })];
  server.releasedAt = new Date().toISOString();
  server.free = 1;
  started()[0]!.sync.now();
  await says("release-words", "release.done  1 of 3");
  expect(takeBack.disabled).toBe(false);
  server.free = 0;
  started()[0]!.sync.now();
  await says("release-words", "release.done  0 of 3");
  expect(takeBack.disabled).toBe(true);
});

describe("who is looked for by name", () => {
  const found = () => [...page.querySelectorAll("[data-found] b")].map((name) => name.textContent);

  beforeEach(async () => {
    location.hash = "";
    server.parties = [await aParty(0, { name: "Ada Rossi" })];
    await open();
    await until(() => expect(started()[0]?.state.listedAt).toBeDefined());
  });

  function type(query: string): void {
    write(query);
    find("form[data-do=search]").dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  }

  test("is asked of the server, too, which knows e-mail addresses; nobody is there twice", async () => {
    server.found = [await aParty(5, { name: "Bruno Verdi" }), ...server.parties];
    type("rossi");
    await until(() => expect(found()).toEqual(["Ada Rossi", "Bruno Verdi"]));
  });

  test("is not shown any more when something else was typed since", async () => {
    const usual = fetch;
    const held: { answer?: () => void } = {};
    vi.stubGlobal("fetch", async (address: string, request: RequestInit) => {
      const answered = await usual(address, request);
      if (address.endsWith("/parties")) await new Promise<void>((resolve) => (held.answer = resolve));
      return answered;
    });
    server.found = [await aParty(5, { name: "Bruno Verdi" })];
    type("rossi");
    await until(() => expect(held.answer).toBeDefined());
    write("ada");
    held.answer!();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(found()).toEqual(["Ada Rossi"]);
  });

  test("is told to be one of more than are shown, here and there", async () => {
    const house = started()[0]!.state.parties;
    const many = (first: string) =>
      Array.from({ length: 21 }, (_, n) => ({
        ...server.parties[0]!,
        reference: `${first}${String(n).padStart(7, "0")}`,
      }));
    server.found = many("B").slice(0, 20);
    type("@example.org");
    await until(() => expect(found()).toHaveLength(20));
    expect(find("[data-found-none]").hidden).toBe(true);
    server.foundMore = true;
    type("@example.org");
    await says("found-none", "found.more 20");
    house.update(many("C"));
    server.found = [];
    server.foundMore = false;
    type("nobody");
    await says("found-none", "found.none ");
    type("rossi");
    await says("found-none", "found.more 20");
    expect(found()).toHaveLength(20);
  });
});
