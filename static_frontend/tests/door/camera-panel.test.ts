import { afterEach, beforeEach, expect, test, vi } from "vitest";

import { CameraPanel } from "../../src/door/camera/camera-panel.ts";
import type { Detector } from "../../src/door/camera/detector.ts";
import { SecondLook, SAY_DARK } from "../../src/door/camera/second-look.ts";
import { until } from "../until.ts";

const PANEL = `<section hidden data-text-refused="Allow it" data-text-none="None here"
    data-text-insecure="Only over https" data-text-failed="In use"
    data-text-dark="Too dark" data-text-dark-torch="Too dark: light?">
  <video data-camera-picture hidden></video><p data-camera-trouble></p>
  <button data-camera-start></button><button data-camera-stop hidden></button>
  <p data-camera-dark></p><button data-camera-torch aria-pressed="false" hidden></button>
  <label data-camera-choice hidden><select></select></label></section>`;

const find = <Found extends HTMLElement>(name: string): Found =>
  document.querySelector<Found>(`[data-camera-${name}]`)!;

beforeEach(() => {
  localStorage.clear();
  document.body.innerHTML = PANEL;
  vi.spyOn(HTMLMediaElement.prototype, "play").mockResolvedValue();
});

// It would come back with the page of the next test.
afterEach(() => find("stop").click());

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

function aPanel(
  detector: () => Promise<Detector> = async () => ({ detect: async () => [] }),
  harder?: SecondLook,
): CameraPanel {
  const panel = document.querySelector<HTMLElement>("section")!;
  return new CameraPanel(panel, () => {}, async () => ({ detector: await detector(), secondLook: harder }));
}

test.each([
  ["NotAllowedError", "Allow it"],
  ["NotFoundError", "None here"],
  ["NotReadableError", "In use"],
])("%s: says what to do, and the button is back", async (name, texts) => {
  withCamera(() => Promise.reject(new DOMException("", name)));
  await aPanel().start();
  expect(find("trouble").textContent).toBe(texts);
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
  await until(() => expect(find("torch").getAttribute("aria-pressed")).toBe("true"));
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

test("too dark is said beside the light, and no more when light returns or a code is read", async () => {
  const looker = { postMessage: vi.fn(), addEventListener: vi.fn() };
  const harder = new SecondLook(looker);
  withCamera(async () => aStream({ torch: true }));
  const panel = aPanel(undefined, harder);
  await panel.start();
  const dark = find("dark");
  const seconds = vi.spyOn(performance, "now");
  const look = (level: number, at: number) => {
    seconds.mockReturnValue(at);
    harder.look(aPicture(level));
  };
  look(20, 100_000);
  look(20, 100_000 + SAY_DARK - 1);
  expect(dark.textContent).toBe("");
  look(20, 100_000 + SAY_DARK);
  expect(dark.textContent).toBe("Too dark: light?");
  look(60, 102_000);
  expect(dark.textContent).toBe("");
  look(20, 110_000);
  look(20, 110_000 + SAY_DARK);
  expect(dark.textContent).toBe("Too dark: light?");
  harder.read();
  expect(dark.textContent).toBe("");
  look(20, 120_000);
  look(20, 120_000 + SAY_DARK);
  find("stop").click();
  expect(dark.textContent).toBe("");
});

test("too dark where the camera has no light names none", async () => {
  const harder = new SecondLook({ postMessage: vi.fn(), addEventListener: vi.fn() });
  withCamera(async () => aStream());
  await aPanel(undefined, harder).start();
  const seconds = vi.spyOn(performance, "now").mockReturnValue(1_000);
  harder.look(aPicture(20));
  seconds.mockReturnValue(1_000 + SAY_DARK);
  harder.look(aPicture(20));
  expect(find("dark").textContent).toBe("Too dark");
});

/** A picture of one shade. */
function aPicture(level: number): ImageData {
  const data = new Uint8ClampedArray(64 * 64 * 4).fill(level);
  return { width: 64, height: 64, data } as unknown as ImageData;
}

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
  await until(() => expect(panel.isOn).toBe(true));
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

test("a reload while what reads codes is still being loaded finds it on as well", async () => {
  withCamera(async () => aStream());
  void aPanel(() => new Promise(() => {})).start();
  await until(() => expect(find<HTMLVideoElement>("picture").srcObject).not.toBeNull());
  const after = aPanel();
  await after.startAgain();
  expect(after.isOn).toBe(true);
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

/** A camera that opens, or fails, when the test says so; each time it is asked for. */
function aSlowCamera(cameras = 1) {
  const asked: { stream: ReturnType<typeof aStream>; open: () => void; fail: () => void }[] = [];
  withCamera(
    () =>
      new Promise((resolve, reject) => {
        const stream = aStream();
        const fail = () => reject(new DOMException("", "NotReadableError"));
        asked.push({ stream, open: () => resolve(stream), fail });
      }),
    cameras,
  );
  return asked;
}

const settle = async () => await new Promise((done) => setTimeout(done));
const live = (asked: ReturnType<typeof aSlowCamera>) =>
  asked.filter(({ stream }) => stream.track.stop.mock.calls.length === 0);

test("a phone locked and looked at while the camera opens has one camera, which goes off", async () => {
  const asked = aSlowCamera();
  const panel = aPanel();
  void panel.start();
  for (const isHidden of [true, false, true, false]) setHidden(isHidden);
  expect(asked).toHaveLength(3);
  for (const { open } of asked) open();
  await until(() => expect(panel.isOn).toBe(true));
  await settle();
  expect(live(asked)).toEqual([asked[2]]);
  find("stop").click();
  expect(live(asked)).toEqual([]);
});

test("only one watcher tells what is seen, however often the camera was opened", async () => {
  const asked = aSlowCamera();
  const looks = vi.fn(async () => []);
  vi.spyOn(HTMLMediaElement.prototype, "readyState", "get").mockReturnValue(4);
  const ready: (() => void)[] = [];
  const slowly = async () => {
    await new Promise<void>((resolve) => ready.push(resolve));
    return { detector: { detect: looks } };
  };
  const panel = new CameraPanel(document.querySelector("section")!, () => {}, slowly);
  void panel.start();
  asked[0]!.open();
  await until(() => expect(ready).toHaveLength(1));
  // Locked and looked at again while the reader of codes is loaded; then switched off.
  setHidden(true);
  setHidden(false);
  find("stop").click();
  asked[1]!.open();
  for (const go of ready) go();
  await new Promise((done) => setTimeout(done, 60));
  expect(looks).not.toHaveBeenCalled();
  expect(live(asked)).toEqual([]);
});

test("a camera changed twice quickly is the last one; what fails meanwhile does not close it", async () => {
  const asked = aSlowCamera(3);
  const panel = aPanel();
  void panel.start("0");
  void panel.start("1");
  void panel.start("2");
  asked[2]!.open();
  await until(() => expect(panel.isOn).toBe(true));
  asked[0]!.fail();
  asked[1]!.open();
  await settle();
  expect(panel.isOn).toBe(true);
  expect(find("trouble").textContent).toBe("");
  expect(asked[1]!.stream.track.stop).toHaveBeenCalled();
  expect(asked[2]!.stream.track.stop).not.toHaveBeenCalled();
});
