import { beforeEach, expect, test, vi } from "vitest";

import type { DetectedCode } from "../../src/door/camera/detector.ts";
import { FORGET_AFTER, REST, Watcher } from "../../src/door/camera/watcher.ts";

/** A code in the picture, which is 640 wide and 480 high; in its middle unless said otherwise. */
function seen(rawValue: string, x = 270, width = 100): DetectedCode {
  const box = { x, y: 190, width, height: width };
  return { rawValue, boundingBox: box as DOMRectReadOnly };
}

let inView: (string | DetectedCode)[];
let told: string[];
let watcher: Watcher;

beforeEach(() => {
  vi.useFakeTimers();
  inView = [];
  told = [];
  const picture = document.createElement("video");
  Object.defineProperty(picture, "readyState", { value: HTMLMediaElement.HAVE_ENOUGH_DATA });
  Object.defineProperties(picture, { videoWidth: { value: 640 }, videoHeight: { value: 480 } });
  const camera = { detect: async () => inView.map((code) => (typeof code === "string" ? seen(code) : code)) };
  watcher = new Watcher(picture, camera, (code) => told.push(code));
  watcher.start();
});

async function show(...codes: (string | DetectedCode)[]): Promise<void> {
  inView = codes;
  await vi.advanceTimersByTimeAsync(REST * 3);
}

test("a ticket held before the camera is told once", async () => {
  await show("A");
  await show("A");
  expect(told).toEqual(["A"]);
});

test("the next ticket is told at once, the same one after it was away", async () => {
  await show("A");
  await show("B");
  await show();
  await vi.advanceTimersByTimeAsync(FORGET_AFTER);
  await show("B");
  expect(told).toEqual(["A", "B", "B"]);
});

test("nothing is told while a verdict is on the screen", async () => {
  await show("A");
  watcher.pause();
  await show("B");
  expect(told).toEqual(["A"]);
  watcher.resume();
  await show("B");
  expect(told).toEqual(["A", "B"]);
});

test("a ticket that stays in view during its verdict is not told again after it", async () => {
  await show("A");
  watcher.pause();
  inView = ["A"];
  await vi.advanceTimersByTimeAsync(FORGET_AFTER * 3);
  watcher.resume();
  await show("A");
  expect(told).toEqual(["A"]);
});

test("of two in view the one held towards the camera comes first, and neither twice", async () => {
  const [near, far] = [seen("A", 250, 120), seen("B", 20, 60)];
  for (let n = 0; n < 5; n += 1) await show(far, near);
  watcher.pause();
  await vi.advanceTimersByTimeAsync(FORGET_AFTER * 2);
  watcher.resume();
  for (let n = 0; n < 5; n += 1) await show(near, far);
  expect(told).toEqual(["A", "B"]);
});

test("of two in the middle the larger one is told", async () => {
  await show(seen("small", 300, 40), seen("large", 240, 160));
  expect(told[0]).toBe("large");
});

test("a frame that cannot be read is passed over", async () => {
  const faulty = { detect: vi.fn().mockRejectedValueOnce(new Error("no frame")) };
  const picture = document.createElement("video");
  Object.defineProperty(picture, "readyState", { value: HTMLMediaElement.HAVE_ENOUGH_DATA });
  faulty.detect.mockResolvedValue([seen("C")]);
  new Watcher(picture, faulty, (code) => told.push(code)).start();
  await vi.advanceTimersByTimeAsync(REST * 3);
  expect(told).toEqual(["C"]);
});

test("stopped is stopped", async () => {
  watcher.stop();
  await show("A");
  expect(told).toEqual([]);
});

test("a phone's clock that is set while a ticket is seen does not let it be told again, nor never", async () => {
  await show("A");
  vi.setSystemTime(Date.now() + 86_400_000);
  await show("A");
  expect(told).toEqual(["A"]);
  vi.setSystemTime(Date.now() - 2 * 86_400_000);
  await show();
  await vi.advanceTimersByTimeAsync(FORGET_AFTER);
  await show("A");
  expect(told).toEqual(["A", "A"]);
});

test("only a picture without a code is tried harder, and what that sees is told once", async () => {
  const harder = { offer: vi.fn(), read: vi.fn() };
  const picture = document.createElement("video");
  Object.defineProperty(picture, "readyState", { value: HTMLMediaElement.HAVE_ENOUGH_DATA });
  const camera = { detect: async () => inView.map((code) => seen(code as string)) };
  watcher.stop();
  watcher = new Watcher(picture, camera, (code) => told.push(code), harder);
  watcher.start();
  await show("A");
  expect(harder.read).toHaveBeenCalled();
  expect(harder.offer).not.toHaveBeenCalled();
  await show();
  expect(harder.offer).toHaveBeenCalledWith(picture);
  watcher.report([seen("B")]);
  watcher.report([seen("B")]);
  expect(told).toEqual(["A", "B"]);
});
