import { beforeEach, expect, test, vi } from "vitest";

import { CameraPanel } from "../../src/door/camera.ts";

const PANEL = `<section hidden data-text-refused="Allow it" data-text-none="None here"
    data-text-insecure="Only over https" data-text-failed="In use">
  <video data-camera-picture hidden></video><p data-camera-trouble></p>
  <button data-camera-start></button><button data-camera-stop hidden></button>
  <button data-camera-torch aria-pressed="false" hidden></button>
  <label data-camera-choice hidden><select></select></label></section>`;

const find = <Found extends HTMLElement>(name: string): Found =>
  document.querySelector<Found>(`[data-camera-${name}]`)!;

beforeEach(() => {
  localStorage.clear();
  document.body.innerHTML = PANEL;
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
});

function withCamera(getUserMedia: (() => Promise<unknown>) | undefined, cameras = 1): void {
  const devices = Array.from({ length: cameras }, (_, n) => ({
    kind: "videoinput",
    deviceId: `${n}`,
    label: `Camera ${n}`,
  }));
  vi.stubGlobal("navigator", {
    mediaDevices: getUserMedia && { getUserMedia, enumerateDevices: async () => devices },
  });
}

function aStream(able: object = {}) {
  const track = {
    stop: vi.fn(),
    applyConstraints: vi.fn(async () => {}),
    addEventListener: vi.fn(),
    getCapabilities: () => able,
    getSettings: () => ({ deviceId: "0" }),
  };
  return { track, getVideoTracks: () => [track], getTracks: () => [track] };
}

function aPanel(): CameraPanel {
  const panel = document.querySelector<HTMLElement>("section")!;
  return new CameraPanel(panel, () => {}, async () => ({ detect: async () => [] }));
}

test.each([
  ["NotAllowedError", "Allow it"],
  ["NotFoundError", "None here"],
  ["NotReadableError", "In use"],
])("%s: says what to do, and the button is back", async (name, words) => {
  withCamera(() => Promise.reject(new DOMException("", name)));
  await aPanel().start();
  expect(find("trouble").textContent).toBe(words);
  expect(find("start").hidden).toBe(false);
});

test("a page that came without https says so", async () => {
  withCamera(undefined);
  await aPanel().start();
  expect(find("trouble").textContent).toBe("Only over https");
});

test("on, with a light and a choice where there are any; off again", async () => {
  const stream = aStream({ torch: true });
  withCamera(async () => stream, 2);
  const panel = aPanel();
  await panel.start();
  expect(panel.isOn).toBe(true);
  expect(find("picture").hidden).toBe(false);
  expect(find("choice").hidden).toBe(false);
  find("torch").click();
  await vi.waitFor(() => expect(find("torch").getAttribute("aria-pressed")).toBe("true"));
  expect(stream.track.applyConstraints).toHaveBeenCalledWith({ advanced: [{ torch: true }] });
  find("stop").click();
  expect(stream.track.stop).toHaveBeenCalled();
  expect(panel.isOn).toBe(false);
  expect(find("picture").hidden).toBe(true);
});

test("one camera without a light offers neither", async () => {
  withCamera(async () => aStream());
  await aPanel().start();
  expect([find("torch").hidden, find("choice").hidden]).toEqual([true, true]);
});

function setHidden(isHidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
  document.dispatchEvent(new Event("visibilitychange"));
}

test("it is off while the page is hidden, and on again with it", async () => {
  const opened: ReturnType<typeof aStream>[] = [];
  withCamera(async () => opened[opened.push(aStream()) - 1]);
  const panel = aPanel();
  await panel.start();
  setHidden(true);
  expect(opened[0]!.track.stop).toHaveBeenCalled();
  expect(panel.isOn).toBe(false);
  setHidden(false);
  await vi.waitFor(() => expect(panel.isOn).toBe(true));
  expect(find("stop").hidden).toBe(false);
});

test("one that was switched off stays off", async () => {
  withCamera(async () => aStream());
  const panel = aPanel();
  await panel.start();
  find("stop").click();
  setHidden(true);
  setHidden(false);
  expect(panel.isOn).toBe(false);
});

test("it starts by itself after a reload if it was on, and not if it was switched off", async () => {
  withCamera(async () => aStream());
  await aPanel().start();
  const reloaded = aPanel();
  await reloaded.startAgain();
  expect(reloaded.isOn).toBe(true);
  find("stop").click();
  const later = aPanel();
  await later.startAgain();
  expect(later.isOn).toBe(false);
});

test("a camera that opens after the page was hidden is closed at once", async () => {
  const stream = aStream();
  let open: (opened: unknown) => void = () => {};
  withCamera(() => new Promise((resolve) => (open = resolve)));
  const panel = aPanel();
  const starting = panel.start();
  setHidden(true);
  open(stream);
  await starting;
  expect(stream.track.stop).toHaveBeenCalled();
  expect(panel.isOn).toBe(false);
});
