import { beforeEach, expect, test, vi } from "vitest";

import { FORGET_AFTER, LOOK_EVERY, Watcher } from "../src/watcher.ts";

let inView: string[];
let told: string[];
let watcher: Watcher;

beforeEach(() => {
  vi.useFakeTimers();
  inView = [];
  told = [];
  const picture = document.createElement("video");
  Object.defineProperty(picture, "readyState", { value: HTMLMediaElement.HAVE_ENOUGH_DATA });
  const camera = { detect: async () => inView.map((rawValue) => ({ rawValue })) };
  watcher = new Watcher(picture, camera, (code) => told.push(code));
  watcher.start();
});

async function show(...codes: string[]): Promise<void> {
  inView = codes;
  await vi.advanceTimersByTimeAsync(LOOK_EVERY * 3);
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

test("a frame that cannot be read is passed over", async () => {
  const faulty = { detect: vi.fn().mockRejectedValueOnce(new Error("no frame")) };
  const picture = document.createElement("video");
  Object.defineProperty(picture, "readyState", { value: HTMLMediaElement.HAVE_ENOUGH_DATA });
  faulty.detect.mockResolvedValue([{ rawValue: "C" }]);
  new Watcher(picture, faulty, (code) => told.push(code)).start();
  await vi.advanceTimersByTimeAsync(LOOK_EVERY * 3);
  expect(told).toEqual(["C"]);
});

test("stopped is stopped", async () => {
  watcher.stop();
  await show("A");
  expect(told).toEqual([]);
});
