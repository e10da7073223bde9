import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { checkEntries } from "../../src/booking/entry-checks.ts";
import { INTERVAL, keepSeatsFresh } from "../../src/booking/seats-left.ts";

const form = (left: string, sizes: number[]): string => `
  <main><p role="status" data-seats-left="/book">${left}</p>
  <input id="email" type="email" data-wrong="Not an address." aria-describedby="email-hint">
  <select id="seats">${sizes.map((size) => `<option value="${size}">${size}</option>`).join("")}</select></main>`;

let email: HTMLInputElement;
let seats: HTMLSelectElement;
let answer: string;

beforeEach(() => {
  vi.useFakeTimers();
  document.body.innerHTML = form("4 seats left", [1, 2, 3, 4]);
  email = document.querySelector("#email")!;
  seats = document.querySelector("#seats")!;
  vi.stubGlobal("fetch", async () => new Response(answer));
  checkEntries(document);
  keepSeatsFresh(document);
});

afterEach(() => {
  vi.clearAllTimers();
  vi.unstubAllGlobals();
});

function type(text: string): void {
  email.value = text;
  email.dispatchEvent(new Event("input"));
  email.dispatchEvent(new Event("blur"));
}

test("a wrong entry is told with its field, until it is right", () => {
  type("ada@");
  const error = document.querySelector("#email-error");
  expect(error?.textContent).toBe("Not an address.");
  expect(email.getAttribute("aria-invalid")).toBe("true");
  expect(email.getAttribute("aria-describedby")).toBe("email-hint email-error");
  type("ada@@");
  expect(document.querySelectorAll("#email-error")).toHaveLength(1);
  email.value = "ada@example.org";
  email.dispatchEvent(new Event("input"));
  expect(document.querySelector("#email-error")).toBeNull();
  expect(email.hasAttribute("aria-invalid")).toBe(false);
  expect(email.getAttribute("aria-describedby")).toBe("email-hint");
});

test("what is pressed stays in its place until it was pressed", async () => {
  document.dispatchEvent(new Event("pointerdown"));
  type("ada@");
  expect(document.querySelector("#email-error")).toBeNull();
  document.dispatchEvent(new Event("pointerup"));
  await vi.advanceTimersByTimeAsync(0);
  expect(document.querySelector("#email-error")).not.toBeNull();
});

test("nothing is said of what nobody has typed yet", () => {
  type("");
  expect(document.querySelector("#email-error")).toBeNull();
});

test("seats that go are told, and what was entered stays", async () => {
  email.value = "ada@example.org";
  seats.value = "3";
  answer = form("Only 2 seats left", [1, 2]);
  await vi.advanceTimersByTimeAsync(INTERVAL);
  expect(document.querySelector("[role=status]")?.textContent).toBe("Only 2 seats left");
  expect([...seats.options].map((option) => option.disabled)).toEqual([false, false, false, true]);
  expect([seats.value, email.value]).toEqual(["3", "ada@example.org"]);
  answer = '<main><p role="status">This performance is sold out.</p></main>';
  await vi.advanceTimersByTimeAsync(INTERVAL);
  expect(document.querySelector("[role=status]")?.textContent).toBe("This performance is sold out.");
  answer = form("4 seats left", [1, 2, 3, 4]);
  await vi.advanceTimersByTimeAsync(INTERVAL);
  expect([...seats.options].some((option) => option.disabled)).toBe(false);
});
