/** The door app: connects the screen, the camera, the phone's settings and the session with the server. */

import { renew } from "./app-cache.ts";
import { CameraPanel } from "./camera/camera-panel.ts";
import { Enrolment } from "./phone/enrolment.ts";
import { listenForScanner } from "./phone/hand-scanner.ts";
import { Passes } from "./phone/passes.ts";
import { ThisPhone } from "./phone/this-phone.ts";
import { Scanning, type LetAct } from "./scanning.ts";
import { Board } from "./screen/board.ts";
import { ForeignNotice } from "./screen/foreign-notice.ts";
import { PartySearch } from "./screen/party-search.ts";
import { SeatRelease } from "./screen/seat-release.ts";
import { wakeWithFirstTouch } from "./screen/signals.ts";
import type { Texts } from "./screen/texts.ts";
import { View, type Pressed } from "./screen/view.ts";
import { CurrentDoor } from "./sync/current-door.ts";
import type { Device } from "./sync/store.ts";

/** Milliseconds between two checks of the time. */
const TICK = 15_000;
/** Milliseconds after which a kiosk's page may load a newer version by itself. */
const KIOSK_RENEWS = 60_000;

export class App {
  private readonly texts: Texts;
  private readonly view: View;
  private readonly board: Board;
  private readonly partySearch: PartySearch;
  private readonly enrolment: Enrolment;
  private readonly passes: Passes;
  private readonly camera: CameraPanel;
  private readonly phone: ThisPhone;
  private readonly door: CurrentDoor;
  private readonly scanning: Scanning;
  private readonly seatRelease: SeatRelease;

  constructor(page: Document, texts: Texts) {
    this.texts = texts;
    this.view = new View(page, (pressed) => void this.pressed(pressed));
    this.board = new Board(this.view, texts);
    this.partySearch = new PartySearch(this.view, texts);
    this.seatRelease = new SeatRelease(this.view, texts, () => this.openSheet("more"));
    this.door = new CurrentDoor(() => this.render());
    this.enrolment = new Enrolment(this.view, texts);
    this.passes = new Passes(this.view, texts);
    this.camera = new CameraPanel(this.view.find("[data-camera]"), (code) => void this.scanning.scanned(code, true));
    this.phone = new ThisPhone(page, this.view, texts, {
      close: () => this.close(),
      open: () => this.openAgain(),
      render: () => this.render(),
      giveUp: async () => await this.giveUp(),
    });
    this.scanning = new Scanning(this.view, texts, this.camera, this.phone, new ForeignNotice(this.view, texts), {
      session: () => this.door.session,
      isEnrolling: () => this.enrolment.hasInvitation,
      render: () => this.render(),
    });
    listenForScanner(page, (code) => void this.scanning.scanned(code));
    wakeWithFirstTouch(page);
    this.view.query.addEventListener("input", () => {
      if (this.door.session) this.partySearch.typed(this.door.session);
    });
    for (const sheet of page.querySelectorAll("dialog")) {
      sheet.addEventListener("close", () => this.scanning.watch());
    }
    addEventListener("hashchange", () => this.route());
    addEventListener("popstate", () => {
      if (this.view.isFinding) this.closeFind();
    });
    addEventListener("online", () => this.door.session?.sync.now());
    page.addEventListener("visibilitychange", () => {
      this.door.session?.state.clock.setVisible(!page.hidden);
      if (page.hidden) return;
      this.phone.woke();
      this.door.session?.sync.now();
      void this.tick();
    });
    setInterval(() => void this.tick(), TICK);
  }

  async start(): Promise<void> {
    await this.door.load();
    this.phone.start();
    this.route();
  }

  private route(): void {
    if (this.enrolment.hasInvitation) {
      this.phone.invited();
      this.camera.stop();
      this.scanning.leave();
      this.view.closeSheets();
      this.enrolment.ask(this.doorNow);
      void this.sendBefore();
      return;
    }
    this.phone.uninvited();
    if (this.door.session) {
      this.render();
    } else if (this.door.device) {
      this.open(this.door.device);
    } else {
      this.view.screen("stranger");
      void this.passes.show(undefined);
    }
  }

  private open(device: Device): void {
    const session = this.door.open(device);
    this.render();
    if (!session.state.ended && !this.phone.isCovered) void this.startCamera();
  }

  /** Nobody turns on the camera of a kiosk: start it at once. */
  private async startCamera(): Promise<void> {
    await (this.phone.kiosk.isOn ? this.camera.start() : this.camera.startAgain());
  }

  /** The phone is locked: no name stays on the screen. */
  private close(): void {
    this.camera.stop();
    this.scanning.leave();
    this.scanning.last = undefined;
    this.partySearch.forget();
  }

  private openAgain(): void {
    this.scanning.leave();
    if (!this.door.session) return this.route();
    this.render();
    this.camera.resume();
    if (!this.door.session.state.ended && !this.camera.isOn) void this.startCamera();
  }

  /** The PIN is forgotten: end the session and drop the pass, so that no names can be loaded. */
  private async giveUp(): Promise<void> {
    this.passes.forget();
    await this.door.session?.endEvening();
  }

  /** Send queued actions before the phone changes devices: only the token of their performance is accepted. */
  private async sendBefore(): Promise<void> {
    const num = this.door.waiting.length;
    if (num === 0) return;
    const session = this.door.resume();
    try {
      await session.sync.flush();
      this.enrolment.sent(num);
    } catch {
      this.enrolment.warn(this.door.waiting.length);
    }
  }

  private async join(): Promise<void> {
    const { isWarned } = this.enrolment;
    await this.sendBefore();
    // Warn once that queued actions may be lost, and ask again.
    if (this.door.waiting.length > 0 && !isWarned) return;
    const enrolled = await this.enrolment.accept();
    if (!enrolled) return;
    this.phone.joined();
    this.open(await this.door.switchDevice(enrolled));
  }

  /** A description of the performance that this phone is enrolled for. */
  private get doorNow(): string | undefined {
    const { performance } = this.door;
    if (!performance) return undefined;
    return `${performance.show_title}, ${this.texts.when(performance.starts_at)}`;
  }

  private async pressed(pressed: Pressed): Promise<void> {
    if (await this.phone.pressed(pressed)) return;
    const { act, people, about } = pressed;
    switch (act) {
      case "join":
        return await this.join();
      case "decline":
        this.enrolment.forget();
        return this.route();
      case "next":
        return this.scanning.next();
      case "again":
        return await this.scanning.again();
      case "undo":
        return await this.scanning.undo(this.scanning.result);
      case "undo-last":
        return await this.scanning.undo(this.scanning.last);
      case "only":
        return await this.scanning.correct(people);
      case "let-in":
      case "late":
      case "let-out":
      case "in-again":
        return await this.letSome(about, people, act);
      case "entrance":
      case "exit":
        this.scanning.isExit = act === "exit";
        return this.render();
      case "walk-out":
      case "walk-again":
        return await this.scanning.walkIn(people, act === "walk-out" ? "out" : "again");
      case "unlisted":
      case "send-away":
        return await this.scanning.settle(people);
      case "walk-in":
        return await this.scanning.walkIn(people);
      case "dismiss":
        return await this.door.session?.dismiss([about]);
      case "dismiss-all":
        return await this.door.session?.dismissAll();
      case "search":
        return await this.search();
      case "find":
        return this.openFind();
      case "close-find":
        return history.back();
      case "more":
      case "phone":
      case "release":
      case "over":
        return this.openSheet(act);
      case "close":
        return this.view.closeSheets();
      case "release-yes":
        return await this.seatRelease.release(this.door.session);
      case "take-back":
        return await this.seatRelease.restore(this.door.session);
      case "over-yes":
        return await this.door.session?.endEvening();
      case "forget":
        await this.door.session?.forget();
        return location.replace(location.pathname);
      case "renew":
        return await renew();
    }
  }

  /** Let some people of the party on the card, or of a found one, in, out, or in again. */
  private async letSome(about: string, people: number, act: LetAct): Promise<void> {
    const party = about ? this.partySearch.shownParty(about) : this.scanning.result?.party;
    if (party) await this.scanning.letSome(party, people, act);
  }

  private async search(): Promise<void> {
    const code = this.door.session && (await this.partySearch.submit(this.door.session));
    if (code) await this.scanning.scanned(code);
  }

  /** The panel gets a history entry, so that the phone's Back button closes it and does not leave the app. */
  private openFind(): void {
    this.camera.pause();
    if (!this.view.isFinding) history.pushState(null, "");
    this.view.openFind();
  }

  private closeFind(): void {
    this.view.closeFind();
    this.scanning.watch();
  }

  private openSheet(name: string): void {
    if (this.phone.isCovered) return;
    this.view.closeSheets();
    this.camera.pause();
    this.view.setText("release-done", undefined);
    this.view.setText("release-trouble", undefined);
    this.view.openSheet(name);
  }

  private render(): void {
    const { session } = this.door;
    if (!session || this.enrolment.hasInvitation) return;
    if (session.state.ended) {
      this.phone.ended();
      this.camera.stop();
      this.scanning.leave();
      this.scanning.last = undefined;
      this.partySearch.forget();
      this.view.closeSheets();
      if (session.state.ended === "revoked") this.passes.forget();
      void this.passes.show(session.state.device.performanceId);
      return this.board.showEnd(session.state);
    }
    void this.passes.show(session.state.device.performanceId);
    // No exits if re-entry was switched off, or at a kiosk.
    if (!session.state.reentry || this.phone.kiosk.isOn) this.scanning.isExit = false;
    this.board.show(session, this.scanning.last, this.scanning.isExit);
    this.view.setText("lock-state", this.view.find("[data-state]").textContent);
    this.partySearch.refresh(session);
  }

  private async tick(): Promise<void> {
    await this.door.session?.lookAtClock();
    this.render();
    // Nobody presses the button at a kiosk. Not at once: without a newer version the page would reload all the time.
    if (this.door.session?.isOutdated && this.phone.kiosk.isOn && performance.now() > KIOSK_RENEWS) await renew();
  }
}
