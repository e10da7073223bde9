import { afterEach, beforeEach, expect, test, vi } from "vitest";

class WorkerOfTest extends EventTarget {
  asked: unknown;
  ended = false;
  postMessage(challenge: unknown): void {
    this.asked = challenge;
  }
  terminate(): void {
    this.ended = true;
  }
  answer(solution: unknown): void {
    this.dispatchEvent(new MessageEvent("message", { data: solution }));
  }
}

let worker: WorkerOfTest;
let sent: string[];

const form = (): HTMLFormElement => document.querySelector("form")!;
const button = (): HTMLButtonElement => document.querySelector("button")!;

beforeEach(async () => {
  vi.stubGlobal("Worker", class {});
  document.body.innerHTML = `<form data-once="One moment"><input type="hidden" name="proof"><button>Book</button></form>`;
  document.querySelector("input")!.dataset["challenge"] = '{"parameters":{"nonce":"ab"}}';
  worker = new WorkerOfTest();
  sent = [];
  form().addEventListener("submit", (event) => {
    event.preventDefault();
    sent.push(document.querySelector("input")!.value);
  });
  const { solveChallenges } = await import("../src/proof.ts");
  solveChallenges(document, () => worker as unknown as Worker);
});

afterEach(() => vi.unstubAllGlobals());

test("the solution goes with the form", () => {
  expect(worker.asked).toEqual({ parameters: { nonce: "ab" } });
  worker.answer({ counter: 7, derivedKey: "00ff" });
  form().requestSubmit();
  expect(JSON.parse(atob(sent[0]!))).toEqual({
    challenge: { parameters: { nonce: "ab" } },
    solution: { counter: 7, derivedKey: "00ff" },
  });
  expect(worker.ended).toBe(true);
});

test("a form that is sent early waits for it, and is sent once", () => {
  form().requestSubmit();
  form().requestSubmit();
  expect(sent).toEqual([]);
  expect([button().textContent, button().getAttribute("aria-disabled")]).toEqual(["One moment", "true"]);
  worker.answer({ counter: 7, derivedKey: "00ff" });
  expect(sent).toHaveLength(1);
  expect(sent[0]).not.toBe("");
  expect([button().textContent, button().getAttribute("aria-disabled")]).toEqual(["Book", "false"]);
});

test("without a solution the form is sent all the same", () => {
  form().requestSubmit();
  worker.dispatchEvent(new Event("error"));
  expect(sent).toEqual([""]);
});
