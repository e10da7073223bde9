import { afterEach, beforeEach, expect, test, vi, type MockInstance } from "vitest";

import { LivePage, renew } from "../src/live-page.ts";

const row = (id: number, seen: string) =>
  `<li id="device-${id}"><b>Door ${id}</b><span>${seen}</span><button value="${id}">Revoke</button></li>`;

function page(inside: number, rows: string, code = "first"): string {
  return `<p data-stale hidden>No answer</p><div data-live>
    <dl id="counts" data-fresh><dd>${inside}</dd></dl>
    <ul id="devices" data-fresh>${rows}</ul>
    <div id="code" data-fresh data-every="300">${code}</div></div>`;
}

const find = <Found extends HTMLElement>(selector: string): Found =>
  document.querySelector<Found>(selector)!;

let asked: number;
let startedOver: number;
let answer: () => Promise<Response>;
let listening: MockInstance<Document["addEventListener"]>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  document.body.innerHTML = page(0, row(1, "now"));
  hide(false);
  asked = startedOver = 0;
  answer = async () => new Response(page(0, row(1, "now")));
  vi.stubGlobal("fetch", () => {
    asked += 1;
    return answer();
  });
  listening = vi.spyOn(document, "addEventListener");
  new LivePage(() => (startedOver += 1));
});

afterEach(() => {
  for (const [event, listener] of listening.mock.calls) {
    document.removeEventListener(event, listener as EventListener);
  }
  vi.useRealTimers();
});

function hide(hidden: boolean): void {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
}

function turn(hidden: boolean): void {
  hide(hidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

const seconds = (many: number) => vi.advanceTimersByTimeAsync(many * 1_000);

test("what changed is renewed every three seconds", async () => {
  answer = async () => new Response(page(7, row(1, "3 s ago")));
  await seconds(2.9);
  expect(asked).toBe(0);
  await seconds(0.2);
  expect(find("#counts").textContent).toBe("7");
  await seconds(3.1);
  expect(asked).toBe(2);
});

test("a button stays the same, with its focus, whatever changes around it", async () => {
  const button = find<HTMLButtonElement>("button");
  button.focus();
  answer = async () => new Response(page(7, row(2, "now") + row(1, "3 s ago")));
  await seconds(3.1);
  expect(document.activeElement).toBe(button);
  expect(button.isConnected).toBe(true);
  expect(button.value).toBe("1");
  expect([...document.querySelectorAll("b")].map((b) => b.textContent)).toEqual(["Door 2", "Door 1"]);
  expect(button.closest("li")!.textContent).toContain("3 s ago");
});

test("what is gone goes, and takes nothing else with it", () => {
  const [old, fresh] = [document.createElement("ul"), document.createElement("ul")];
  old.innerHTML = row(1, "now") + row(2, "now") + row(3, "now");
  fresh.innerHTML = row(1, "now") + row(3, "now");
  const third = old.lastElementChild;
  renew(old, fresh);
  expect(old.lastElementChild).toBe(third);
  expect(old.isEqualNode(fresh)).toBe(true);
});

test("details that somebody opened stay open", () => {
  const [old, fresh] = [document.createElement("div"), document.createElement("div")];
  old.innerHTML = "<details open><summary>As a table</summary><p>1</p></details>";
  fresh.innerHTML = "<details><summary>As a table</summary><p>2</p></details>";
  renew(old, fresh);
  expect(old.querySelector("details")!.open).toBe(true);
  expect(old.querySelector("p")!.textContent).toBe("2");
});

test("what somebody filled in stays, with or without the focus", () => {
  const fields = '<input><textarea></textarea><input type="checkbox"><select><option>a<option>b</select>';
  const [old, fresh] = [document.createElement("div"), document.createElement("div")];
  old.innerHTML = `<p>1</p>${fields}`;
  fresh.innerHTML = `<p>2</p>${fields}`;
  old.querySelector("input")!.value = "Foyer";
  old.querySelector("textarea")!.value = "by the stairs";
  old.querySelector<HTMLInputElement>("[type=checkbox]")!.checked = true;
  old.querySelector("select")!.value = "b";
  renew(old, fresh);
  expect(old.querySelector("p")!.textContent).toBe("2");
  expect(old.querySelector("input")!.value).toBe("Foyer");
  expect(old.querySelector("textarea")!.value).toBe("by the stairs");
  expect(old.querySelector<HTMLInputElement>("[type=checkbox]")!.checked).toBe(true);
  expect(old.querySelector("select")!.value).toBe("b");
});

test("a code is renewed in its own time", async () => {
  answer = async () => new Response(page(0, row(1, "now"), "second"));
  await seconds(290);
  expect(find("#code").textContent).toBe("first");
  await seconds(15);
  expect(find("#code").textContent).toBe("second");
});

test("a page that nobody sees asks nothing, and asks at once when it is seen again", async () => {
  turn(true);
  await seconds(60);
  expect(asked).toBe(0);
  turn(false);
  await seconds(0);
  expect(asked).toBe(1);
  await seconds(3.1);
  expect(asked).toBe(2);
});

test("without an answer the page says so, asks more seldom, and goes on by itself", async () => {
  answer = () => Promise.reject(new TypeError("no network"));
  await seconds(3.1);
  expect(find("[data-stale]").hidden).toBe(false);
  await seconds(300);
  expect(asked).toBeLessThan(16);
  answer = async () => new Response("busy", { status: 503 });
  await seconds(31);
  expect(find("[data-stale]").hidden).toBe(false);
  answer = async () => new Response(page(7, row(1, "now")));
  await seconds(31);
  expect(find("[data-stale]").hidden).toBe(true);
  expect(find("#counts").textContent).toBe("7");
});

test("who is logged out meanwhile is led to the login", async () => {
  answer = async () => new Response("", { status: 403 });
  await seconds(3.1);
  expect(startedOver).toBe(1);
  await seconds(60);
  expect(asked).toBe(1);
});
