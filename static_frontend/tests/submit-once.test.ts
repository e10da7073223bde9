import { beforeEach, expect, test, vi } from "vitest";

import { preventDoubleSubmits, TIMEOUT } from "../src/submit-once.ts";

let form: HTMLFormElement;
let button: HTMLButtonElement;

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML =
    '<form data-once="One moment…"><button>Book</button></form><form id="free"></form>';
  form = document.querySelector("form")!;
  button = form.querySelector("button")!;
  preventDoubleSubmits(document);
});

/** Whether the browser would send the form now. */
function press(pressed: HTMLFormElement = form): boolean {
  return pressed.dispatchEvent(new SubmitEvent("submit", { cancelable: true }));
}

test("a form is sent once, and its button says so", () => {
  expect(press()).toBe(true);
  expect(button.textContent).toBe("One moment…");
  expect(button.getAttribute("aria-disabled")).toBe("true");
  expect(button.disabled).toBe(false);
  expect(press()).toBe(false);
});

test("of several buttons the one that was pressed says so", () => {
  const other = form.appendChild(document.createElement("button"));
  other.textContent = "10 minutes";
  form.dispatchEvent(new SubmitEvent("submit", { cancelable: true, submitter: other }));
  expect([button.textContent, other.textContent]).toEqual(["Book", "One moment…"]);
});

test("a page that comes back from the browser's memory can be sent again", () => {
  press();
  window.dispatchEvent(new Event("pageshow"));
  expect(button.textContent).toBe("Book");
  expect(button.getAttribute("aria-disabled")).toBe("false");
  expect(press()).toBe(true);
});

test("a form without an answer can be sent again after a while", () => {
  press();
  vi.advanceTimersByTime(TIMEOUT - 1);
  expect(press()).toBe(false);
  vi.advanceTimersByTime(1);
  expect(press()).toBe(true);
});

test("other forms are left alone", () => {
  const free = document.querySelector<HTMLFormElement>("#free")!;
  expect([press(free), press(free)]).toEqual([true, true]);
});
