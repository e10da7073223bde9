import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** A browser's sound: silent until it is woken while something is pressed. */
class FakeSound {
  static isPressed = false;
  static beeps = 0;
  state = "suspended";
  currentTime = 0;
  destination = {};
  async resume(): Promise<void> {
    if (!FakeSound.isPressed) throw new DOMException("not allowed", "NotAllowedError");
    this.state = "running";
  }
}

const vibrate = vi.fn();
let signals: typeof import("../../src/door/screen/signals.ts");

beforeEach(async () => {
  FakeSound.isPressed = false;
  FakeSound.beeps = 0;
  vibrate.mockReset();
  vi.stubGlobal("AudioContext", FakeSound);
  const part = { connect: (next: unknown) => next, gain: { setTargetAtTime() {} }, stop() {} };
  const voice = { ...part, start: () => void (FakeSound.beeps += 1) };
  vi.stubGlobal("OscillatorNode", function () { return voice; });
  vi.stubGlobal("GainNode", function () { return part; });
  vi.resetModules();
  signals = await import("../../src/door/screen/signals.ts");
});

afterEach(() => vi.unstubAllGlobals());

function aPhone(userActivation?: { hasBeenActive: boolean }): void {
  vi.stubGlobal("navigator", { userActivation, vibrate });
}

function press(): void {
  FakeSound.isPressed = true;
  document.body.click();
  FakeSound.isPressed = false;
}

test("a phone that cannot tell whether it was touched vibrates, and is heard after the first touch", () => {
  aPhone();
  signals.wakeWithFirstTouch(document);
  signals.signal("good");
  expect([vibrate.mock.calls.length, FakeSound.beeps]).toEqual([1, 0]);
  press();
  signals.signal("bad");
  expect([vibrate.mock.calls.length, FakeSound.beeps]).toEqual([2, 3]);
});

test("one that can is not asked before", () => {
  const activation = { hasBeenActive: false };
  aPhone(activation);
  signals.signal("good");
  expect([vibrate.mock.calls.length, FakeSound.beeps]).toEqual([0, 0]);
  activation.hasBeenActive = true;
  signals.signal("good");
  expect([vibrate.mock.calls.length, FakeSound.beeps]).toEqual([1, 1]);
});

test("a phone that can neither vibrate nor sound is let be", () => {
  vi.stubGlobal("navigator", {});
  vi.stubGlobal("AudioContext", undefined);
  signals.wakeWithFirstTouch(document);
  press();
  signals.signal("good");
});
