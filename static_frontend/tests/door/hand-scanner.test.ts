import { beforeAll, beforeEach, expect, test, vi } from "vitest";

import { listenForScanner } from "../../src/door/phone/hand-scanner.ts";

let told: string[];
let pressed = vi.fn();

beforeAll(() => listenForScanner(document, (code) => told.push(code)));

beforeEach(() => {
  told = [];
  pressed = vi.fn();
  document.body.innerHTML = "<button>Undo</button><input>";
  // As a browser presses the button that has the focus.
  const button = document.querySelector("button")!;
  button.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.defaultPrevented) pressed();
  });
  button.addEventListener("keyup", (event) => {
    if (event.key === " " && !event.defaultPrevented) pressed();
  });
});

let clock = 1_000;

function type(text: string, pause: number, target: Element = document.body): void {
  for (const key of [...text, "Enter"]) {
    clock += pause;
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    Object.defineProperty(event, "timeStamp", { value: clock });
    target.dispatchEvent(event);
    target.dispatchEvent(new KeyboardEvent("keyup", { key, bubbles: true, cancelable: true }));
  }
  clock += 5_000;
}

test("a scanner's code is read wherever the focus is", () => {
  type("https://theatre.example/checkin/ticket/x-Y_z", 4);
  type("K7Q2X9PM", 300);
  expect(told).toEqual(["https://theatre.example/checkin/ticket/x-Y_z", "K7Q2X9PM"]);
});

/** What arrives when a scanner of a US keyboard is plugged into an Italian one: its keys, misread. */
function typeAsItalian(text: string, target: Element = document.body): void {
  const misread: Record<string, [string, string, boolean]> = {
    "/": ["-", "Slash", false],
    ":": ["ç", "Semicolon", true],
    "-": ["'", "Minus", false],
    _: ["?", "Minus", true],
    ".": [".", "Period", false],
  };
  for (const letter of text) {
    const isDigit = /[0-9]/.test(letter);
    const plain = [letter, isDigit ? `Digit${letter}` : `Key${letter.toUpperCase()}`, /[A-Z]/.test(letter)];
    const [key, code, shiftKey] = misread[letter] ?? (plain as [string, string, boolean]);
    clock += 4;
    const event = new KeyboardEvent("keydown", { key, code, shiftKey, bubbles: true });
    Object.defineProperty(event, "timeStamp", { value: clock });
    target.dispatchEvent(event);
  }
  type("", 4, target);
}

test("a scanner that takes the phone's keyboard for a US one is understood", () => {
  const token = `Qz9-_${"aB3".repeat(12)}xY`;
  const address = `https://theatre.example/checkin/ticket/${token}`;
  typeAsItalian(address);
  typeAsItalian(token);
  expect(told).toEqual([address, token]);
});

test("what is a code as it was typed is left so, whatever the keys are called", () => {
  const [token, layout] = ["y".repeat(43), "KeyZ"]; // a German keyboard has Y where the US one has Z
  for (const key of [...token, "Enter"]) {
    clock += 4;
    const event = new KeyboardEvent("keydown", { key, code: layout, bubbles: true });
    Object.defineProperty(event, "timeStamp", { value: clock });
    document.body.dispatchEvent(event);
  }
  expect(told).toEqual([token]);
});

test("its Enter does not press the button that has the focus", () => {
  type("K7Q2X9PM", 10, document.querySelector("button")!);
  expect(told).toEqual(["K7Q2X9PM"]);
  expect(pressed).not.toHaveBeenCalled();
});

test("nor does a Space in somebody else's code", () => {
  type("WIFI:S:For our guests;;", 4, document.querySelector("button")!);
  expect(told).toEqual(["WIFI:S:For our guests;;"]);
  expect(pressed).not.toHaveBeenCalled();
});

test("nor does that of a code which was read in part", () => {
  type("K7Q2", 10, document.querySelector("button")!);
  expect(told).toEqual([]);
  expect(pressed).not.toHaveBeenCalled();
});

test("a person's Enter and Space do, one just after the other", () => {
  type("", 10, document.querySelector("button")!);
  type(" ", 10, document.querySelector("button")!);
  expect(pressed).toHaveBeenCalledTimes(3);
});

test("nor is what somebody typed into a field just before the beginning of a code", () => {
  for (const key of "Gallery") {
    const event = new KeyboardEvent("keydown", { key, bubbles: true });
    Object.defineProperty(event, "timeStamp", { value: (clock += 10) });
    document.querySelector("input")!.dispatchEvent(event);
  }
  type("", 10, document.querySelector("button")!);
  expect(pressed).toHaveBeenCalledOnce();
});

test("keys that somebody hits now and then are no code, nor is a short word", () => {
  type("K7Q2X9PM", 600);
  type("abc", 5);
  expect(told).toEqual([]);
});

test("in a field a scanner types as anybody does", () => {
  const field = document.querySelector("input")!;
  type("K7Q2X9PM", 5, field);
  type("a".repeat(43), 5, field);
  expect(told).toEqual([]);
});

test("a ticket that it misread in a field is not left there", () => {
  const field = document.querySelector("input")!;
  const address = `https://theatre.example/checkin/ticket/${"aB3".repeat(14)}x`;
  field.value = address.replaceAll("/", "-").replace(":", "ç");
  typeAsItalian(address, field);
  expect([told, field.value]).toEqual([[address], ""]);
  // What may be somebody's name, with keys elsewhere than on a US keyboard, is left alone.
  field.value = "niño-ruiz";
  typeAsItalian("8D22-P986", field);
  expect([told.length, field.value]).toEqual([1, "niño-ruiz"]);
});
