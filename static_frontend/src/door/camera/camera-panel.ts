/** The camera panel: switch the camera on and off, choose one, use its light, show errors. */

import { makeDetector, type Detector } from "./detector.ts";
import { makeSecondLook, type SecondLook } from "./second-look.ts";
import { Watcher } from "./watcher.ts";

type Trouble = "refused" | "none" | "insecure" | "failed";

const REMEMBERED = "azionelab.camera";

/** The QR reader, and the second look at pictures in which it finds nothing. */
export interface Readers {
  readonly detector: Detector;
  readonly secondLook?: SecondLook | undefined;
}

interface Torch {
  torch?: boolean;
}

export class CameraPanel {
  private readonly panel: HTMLElement;
  private readonly onCode: (code: string) => void;
  private readonly makeReaders: () => Promise<Readers>;
  private readers: Promise<Readers> | undefined;
  private stream: MediaStream | undefined;
  /** The camera is on, or comes on as soon as the page is visible. */
  private isWanted = false;
  private isPaused = false;
  /** Counts starts and stops: an awaited result from an earlier turn is outdated. */
  private turns = 0;
  /** The device id of the camera in use. */
  private used: string | undefined;
  private awake: WakeLockSentinel | undefined;
  private watcher: Watcher | undefined;
  private secondLook: SecondLook | undefined;

  constructor(
    panel: HTMLElement,
    tell: (code: string) => void,
    readers: () => Promise<Readers> = makeReaders,
  ) {
    this.panel = panel;
    this.onCode = tell;
    this.makeReaders = readers;
    this.part("start").addEventListener("click", () => void this.start());
    this.part("stop").addEventListener("click", () => {
      this.stop();
      remember(false);
    });
    this.part("torch").addEventListener("click", () => void this.switchTorch());
    this.choice.addEventListener("change", () => void this.start(this.choice.value));
    document.addEventListener("visibilitychange", () => this.turn());
  }

  get isOn(): boolean {
    return this.stream !== undefined;
  }

  /** Start the camera if it was on when the page was left; load the readers in any case. */
  async startAgain(): Promise<void> {
    // An error is shown when the camera is turned on.
    void this.warmUp().catch(() => undefined);
    if (wasOn()) await this.start();
  }

  /** Load the readers once, ahead of the first scan. */
  private async warmUp(): Promise<Readers> {
    this.readers ??= this.makeReaders();
    return await this.readers.catch((error: unknown) => {
      this.readers = undefined;
      throw error;
    });
  }

  pause(): void {
    this.isPaused = true;
    this.watcher?.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.watcher?.resume();
  }

  async start(camera?: string): Promise<void> {
    const hadLight = this.light.getAttribute("aria-pressed") === "true";
    this.stop();
    const { turns } = this;
    // Stopped, restarted or another camera chosen meanwhile: that turn has cleaned up already.
    const isOutdated = () => this.turns !== turns;
    this.isWanted = true;
    this.used = camera;
    this.showTrouble(undefined);
    this.show(true);
    try {
      const stream = await openCamera(camera);
      if (isOutdated() || document.hidden) return stopTracks(stream);
      this.stream = stream;
      remember(true);
      // The system may take the camera away, for another app or in the background.
      stream.getVideoTracks()[0]?.addEventListener("ended", () => {
        this.release();
        this.show(false);
      });
      this.picture.srcObject = stream;
      await this.picture.play();
      const { detector, secondLook } = await this.warmUp();
      if (isOutdated()) return;
      const watcher = new Watcher(this.picture, detector, this.onCode, secondLook);
      this.secondLook = secondLook;
      secondLook?.listen({ seen: (codes) => watcher.report(codes), dark: (isDark) => this.showDark(isDark) });
      this.watcher = watcher;
      watcher.start();
      if (this.isPaused) this.watcher.pause();
      void this.stayAwake(isOutdated);
      const devices = await navigator.mediaDevices.enumerateDevices();
      if (isOutdated()) return;
      this.showChoices(stream, devices);
      if (hadLight) await this.switchTorch();
    } catch (error) {
      if (isOutdated()) return;
      this.stop();
      this.showTrouble(troubleOf(error));
    }
  }

  stop(): void {
    this.isWanted = false;
    this.release();
    this.show(false);
  }

  private release(): void {
    this.turns += 1;
    void this.awake?.release();
    this.awake = undefined;
    this.watcher?.stop();
    this.watcher = undefined;
    this.secondLook?.listen(undefined);
    this.showDark(false);
    if (this.stream) stopTracks(this.stream);
    this.stream = undefined;
    this.picture.srcObject = null;
  }

  /** Release the camera while the page is hidden, and start it again afterwards. */
  private turn(): void {
    if (document.hidden) this.release();
    else if (this.isWanted) void this.start(this.used);
  }

  /** Keep the screen on between two scans. */
  private async stayAwake(isOutdated: () => boolean): Promise<void> {
    try {
      const awake = await navigator.wakeLock?.request("screen");
      if (isOutdated()) await awake?.release();
      else this.awake = awake;
    } catch {
      // Refused, for example on low battery: the screen may go dark.
    }
  }

  private show(on: boolean): void {
    const held = this.panel.contains(document.activeElement);
    this.picture.hidden = !on;
    this.part("start").hidden = on;
    this.part("stop").hidden = !on;
    if (!on) {
      this.part("torch").hidden = true;
      this.part("torch").setAttribute("aria-pressed", "false");
      this.part("choice").hidden = true;
    }
    // The pressed button is hidden now: move the focus to its counterpart.
    if (held) this.part(on ? "stop" : "start").focus();
  }

  private showChoices(stream: MediaStream, devices: readonly MediaDeviceInfo[]): void {
    const [track] = stream.getVideoTracks();
    const able = (track?.getCapabilities?.() ?? {}) as Torch;
    this.part("torch").hidden = !able.torch;
    const cameras = devices.filter((device) => device.kind === "videoinput");
    const used = track?.getSettings().deviceId;
    this.used = used;
    this.choice.replaceChildren(
      ...cameras.map(
        (camera, n) =>
          new Option(camera.label || `${n + 1}`, camera.deviceId, false, camera.deviceId === used),
      ),
    );
    this.part("choice").hidden = cameras.length < 2;
  }

  private async switchTorch(): Promise<void> {
    const button = this.light;
    const torch = button.getAttribute("aria-pressed") !== "true";
    const wish: MediaTrackConstraintSet & Torch = { torch };
    const { turns } = this;
    await this.stream?.getVideoTracks()[0]?.applyConstraints({ advanced: [wish] });
    if (this.turns === turns) button.setAttribute("aria-pressed", String(torch));
  }

  /** Say that the picture is too dark; suggest the light if there is one and it is off. */
  private showDark(isDark: boolean): void {
    const isOff = !this.light.hidden && this.light.getAttribute("aria-pressed") !== "true";
    const texts = this.panel.getAttribute(isOff ? "data-text-dark-torch" : "data-text-dark");
    const text = (isDark && texts) || "";
    // A live region speaks whenever it is written to: only on changes.
    if (this.part("dark").textContent !== text) this.part("dark").textContent = text;
  }

  private showTrouble(trouble: Trouble | undefined): void {
    const texts = trouble && this.panel.getAttribute(`data-text-${trouble}`);
    this.part("trouble").textContent = texts ?? "";
  }

  private part(name: string): HTMLElement {
    return this.panel.querySelector<HTMLElement>(`[data-camera-${name}]`)!;
  }

  private get light(): HTMLElement {
    return this.part("torch");
  }

  private get picture(): HTMLVideoElement {
    return this.part("picture") as HTMLVideoElement;
  }

  private get choice(): HTMLSelectElement {
    return this.part("choice").querySelector("select")!;
  }
}

async function makeReaders(): Promise<Readers> {
  const [detector, secondLook] = await Promise.all([makeDetector(), makeSecondLook()]);
  return { detector, secondLook };
}

async function openCamera(camera?: string): Promise<MediaStream> {
  // Undefined, in spite of its type, on pages without https.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) throw new DOMException("no secure context", "SecurityError");
  const which = camera ? { deviceId: { exact: camera } } : { facingMode: "environment" };
  return await devices.getUserMedia({ video: { ...which, width: { ideal: 1280 } } });
}

function stopTracks(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop();
}

function remember(isOn: boolean): void {
  try {
    localStorage.setItem(REMEMBERED, String(isOn));
  } catch {
    // No storage: after a reload the camera is started by hand.
  }
}

function wasOn(): boolean {
  try {
    return localStorage.getItem(REMEMBERED) === "true";
  } catch {
    return false;
  }
}

function troubleOf(error: unknown): Trouble {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "NotAllowedError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  return name === "SecurityError" ? "insecure" : "failed";
}
