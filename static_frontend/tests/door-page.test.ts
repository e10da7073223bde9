import { beforeEach, expect, test, vi } from "vitest";

import { startDoor, type Camera } from "../src/door-page.ts";

const VERDICT = `<div data-verdict="admitted" data-tone="good"><h2>Let 2 in</h2><a data-next>Next</a>
  <form data-post action="/undo"><input name="scan_id" value="one"><button>Undo</button></form></div>`;

function page(scanId: string, verdict = "", inside = 0): string {
  return `<main><div data-door data-text-offline="No answer">
    <div id="verdict" data-fresh>${verdict}</div><div id="told" data-fresh></div>
    <dl id="counts" data-fresh>${inside}</dl><section data-camera></section>
    <form data-post data-scan action="/scans">
      <span id="identity" data-fresh><input type="hidden" name="scan_id" value="${scanId}"></span>
      <input name="code"><input name="people"><input name="door" data-door-label>
      <button type="submit">Let in</button></form></div></main>`;
}

let camera: Camera & { isOn: boolean };
let scan: (code: string) => void;
let paused: boolean;
let sent: { url: string; data: Record<string, string> }[];
let answers: (() => Promise<Response>)[];

beforeEach(() => {
  localStorage.clear();
  Element.prototype.scrollIntoView = () => {};
  document.body.innerHTML = page("one");
  paused = false;
  sent = [];
  answers = [];
  vi.stubGlobal("fetch", async (url: string, request: { body: FormData }) => {
    sent.push({ url, data: Object.fromEntries(request.body) as Record<string, string> });
    return await answers.shift()!();
  });
  camera = { isOn: true, pause: () => (paused = true), resume: () => (paused = false) };
  startDoor(document.querySelector("[data-door]")!, (_panel, tell) => {
    scan = tell;
    return camera;
  });
});

const find = <Found extends HTMLElement>(selector: string): Found =>
  document.querySelector<Found>(selector)!;
const answer = (html: string) => async () => new Response(html);
const settled = () =>
  vi.waitFor(() => expect(find("[data-door]").getAttribute("aria-busy")).toBe("false"));

test("a code the camera sees is sent once and the verdict stops the camera", async () => {
  answers.push(answer(page("two", VERDICT, 2)));
  scan("TICKET");
  scan("TICKET");
  expect(find("[data-scan] button").getAttribute("aria-disabled")).toBe("true");
  await settled();
  expect(sent).toHaveLength(1);
  expect(sent[0]!.data).toMatchObject({ code: "TICKET", scan_id: "one" });
  expect(find("#verdict").textContent).toContain("Let 2 in");
  expect(find("#counts").textContent).toBe("2");
  expect(find<HTMLInputElement>("[data-scan] [name=code]").value).toBe("");
  expect(find<HTMLInputElement>("#identity input").value).toBe("two");
  expect(paused).toBe(true);
});

test("Next clears the verdict and the camera looks again", async () => {
  answers.push(answer(page("two", VERDICT)));
  scan("TICKET");
  await settled();
  find("[data-next]").click();
  expect(find("#verdict").textContent).toBe("");
  expect(paused).toBe(false);
});

test("without an answer the same scan can be sent again", async () => {
  answers.push(() => Promise.reject(new TypeError("no network")), answer(page("two", VERDICT)));
  scan("TICKET");
  await settled();
  expect(find("#told").textContent).toBe("No answer");
  expect(paused).toBe(false);
  find("[data-scan] button").click();
  await settled();
  expect(sent.map((one) => [one.data["scan_id"], one.data["code"]])).toEqual([
    ["one", "TICKET"],
    ["one", "TICKET"],
  ]);
});

test("the pressed button is part of what is sent", async () => {
  answers.push(answer(page("two", VERDICT)), answer(page("three")));
  scan("TICKET");
  await settled();
  find("#verdict form button").click();
  await settled();
  expect(sent[1]).toEqual({ url: expect.stringMatching(/\/undo$/), data: { scan_id: "one" } });
});

test("the name of the door is kept on the device and sent", async () => {
  const label = find<HTMLInputElement>("[data-door-label]");
  label.value = "North";
  label.dispatchEvent(new Event("change", { bubbles: true }));
  answers.push(answer(page("two")), answer(page("three")));
  scan("A");
  await settled();
  scan("B");
  await settled();
  expect(sent.map((one) => one.data["door"])).toEqual(["North", "North"]);
});

test("with the camera off the field is ready for a hand scanner", async () => {
  camera.isOn = false;
  answers.push(answer(page("two", VERDICT)));
  scan("TICKET");
  await settled();
  expect(document.activeElement).toBe(find("[data-scan] [name=code]"));
});

test("an error page's words are told", async () => {
  answers.push(answer("<main><h1>The house is very busy</h1></main>"));
  scan("TICKET");
  await settled();
  expect(find("#told").textContent).toBe("The house is very busy");
});
