import { beforeEach, expect, test, vi } from "vitest";

import { startDoor, type Camera } from "../src/door-page.ts";

const VERDICT = `<div data-verdict="admitted" data-tone="good"><h2>Let 2 in</h2><a href="/" data-next>Next</a>
  <form data-post action="/undo"><input name="scan_id" value="one"><button>Undo</button></form></div>`;

function page(scanId: string, verdict = "", inside = 0): string {
  return `<main><div data-door>
    <template data-checking><div data-verdict="checking">Checking</div></template>
    <template data-no-answer><div data-verdict="no_answer" data-tone="bad"><h2>No answer</h2>
      <p class="detail"></p><button data-retry>Try again</button><a data-next>Next</a></div></template>
    <div id="verdict" data-fresh>${verdict}</div><div id="told" data-fresh></div>
    <dl id="counts" data-fresh>${inside}</dl><section data-camera></section>
    <form data-post data-scan action="/scans" data-unanswered="Not let in yet">
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

test("a verdict is gone as soon as the next code is sent", async () => {
  let arrive: (response: Response) => void;
  answers.push(answer(page("two", VERDICT)), () => new Promise((resolve) => (arrive = resolve)));
  scan("TICKET");
  await settled();
  scan("NEXT");
  expect(find("#verdict").textContent).toBe("Checking");
  arrive!(new Response(page("three", VERDICT)));
  await settled();
  expect(find("#verdict").textContent).toContain("Let 2 in");
});

test("without an answer nobody is let in, and the same scan can be sent again", async () => {
  answers.push(
    answer(page("two", VERDICT)),
    () => Promise.reject(new TypeError("no network")),
    answer(page("three", VERDICT)),
  );
  scan("TICKET");
  await settled();
  scan("NEXT");
  await settled();
  expect(find("#verdict").textContent).toContain("Not let in yet");
  expect(find("#verdict").textContent).not.toContain("Let 2 in");
  expect(paused).toBe(true);
  find("[data-retry]").click();
  await settled();
  expect(find("#verdict").textContent).toContain("Let 2 in");
  expect(sent.slice(1).map((one) => [one.data["scan_id"], one.data["code"]])).toEqual([
    ["two", "NEXT"],
    ["two", "NEXT"],
  ]);
});

test("who goes on without an answer starts another scan", async () => {
  answers.push(() => Promise.reject(new TypeError("no network")), answer(page("two", VERDICT)));
  scan("TICKET");
  await settled();
  find("[data-next]").click();
  expect(find("#verdict").textContent).toBe("");
  expect(find<HTMLInputElement>("[data-scan] [name=code]").value).toBe("");
  expect(paused).toBe(false);
  scan("OTHER");
  await settled();
  expect(sent[1]!.data["scan_id"]).not.toBe("one");
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

const NAMES = `<section data-names><form data-post role="search" action="/parties">
    <input id="query"><button>Find</button></form><div id="parties" data-fresh tabindex="-1"></div></section>`;
const FOUND = `<form data-post action="/scans"><input name="scan_id" value="one"><button>3</button></form>`;

test("who looks for a name goes on among the names", async () => {
  camera.isOn = false;
  find("[data-door]").insertAdjacentHTML("beforeend", NAMES);
  const found = NAMES.replace('tabindex="-1">', `tabindex="-1">${FOUND}`);
  answers.push(
    answer(page("two").replace("</main>", `${found}</main>`)),
    answer(page("three", VERDICT).replace("</main>", `${NAMES}</main>`)),
    answer(page("four")),
  );
  find("[role=search] button").click();
  await settled();
  expect(document.activeElement?.id).toBe("parties");
  find("#parties button").click();
  await settled();
  expect(document.activeElement?.textContent).toBe("Next");
  find("[data-next]").click();
  expect(document.activeElement?.id).toBe("query");
  scan("TICKET");
  await settled();
  expect(document.activeElement).toBe(find("[data-scan] [name=code]"));
});

test("an error page's words are told", async () => {
  answers.push(
    answer("<main><h1>This door is not yours</h1></main>"),
    async () => new Response("<main><h1>The house is very busy</h1></main>", { status: 503 }),
  );
  scan("TICKET");
  await settled();
  expect(find("#verdict .detail").textContent).toBe("This door is not yours");
  expect(document.querySelector("[data-retry]")).toBeNull();
  find("[data-next]").click();
  scan("TICKET");
  await settled();
  expect(find("#verdict .detail").textContent).toBe("The house is very busy");
  expect(document.querySelector("[data-retry]")).not.toBeNull();
});
