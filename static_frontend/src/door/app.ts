/** The door app: connects the screen, the camera, the phone's settings and the session with the server. */

import { Board } from "./screen/board.ts";
import { CameraPanel } from "./camera/camera-panel.ts";
import { cardOf, checkingCard, settledCard, troubleCard, type Card } from "./screen/cards.ts";
import { DoorSession, NoAnswer, type ScanResult } from "./sync/session.ts";
import { PartySearch } from "./screen/party-search.ts";
import { ForeignNotice, QUIET_AT_KIOSK } from "./screen/foreign-notice.ts";
import { isForeign } from "./rules/foreign-codes.ts";
import { Enrolment } from "./phone/enrolment.ts";
import { listenForScanner } from "./phone/hand-scanner.ts";
import { Passes } from "./phone/passes.ts";
import { Unreachable, Refused, type Enrolled, type ReleaseResult } from "./sync/server.ts";
import { kioskCard } from "./phone/kiosk.ts";
import { ThisPhone } from "./phone/this-phone.ts";
import { renew } from "./app-cache.ts";
import { signal, wakeWithFirstTouch } from "./screen/signals.ts";
import { Store, type StoredData, type Device } from "./sync/store.ts";
import { insideOf, type ScanOptions } from "./rules/verdicts.ts";
import { View, type Pressed } from "./screen/view.ts";
import type { Texts } from "./screen/texts.ts";

/** The direction that each button stands for. */
const WAYS = { "let-in": "in", late: "in", "let-out": "out", "in-again": "again" } as const;
/** Milliseconds that a good verdict stays before the next code is taken. */
const GLANCE = 1_500;
/** Milliseconds without an answer after which "Checking…" is shown. */
const SAY_CHECKING = 120;
/** Milliseconds between two checks of the time. */
const TICK = 15_000;
/** Milliseconds after which a kiosk's page may load a newer version by itself. */
const KIOSK_RENEWS = 60_000;

export class App {
  private readonly texts: Texts;
  private readonly view: View;
  private readonly board: Board;
  private readonly partySearch: PartySearch;
  private readonly foreign: ForeignNotice;
  private readonly enrolment: Enrolment;
  private readonly passes: Passes;
  private readonly camera: CameraPanel;
  private readonly phone: ThisPhone;
  private store: Store | undefined;
  private contents: StoredData | undefined;
  private session: DoorSession | undefined;
  private busy = false;
  /** The code whose verdict is pending. */
  private asking: string | undefined;
  /** Codes that were scanned while another one was pending, in order. */
  private scannedMeanwhile: string[] = [];
  /** The result on the card on the screen. */
  private result: ScanResult | undefined;
  private unanswered: NoAnswer | undefined;
  private last: ScanResult | undefined;
  /** Scans at this phone let people out. */
  private isExit = false;
  private glance: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Document, texts: Texts) {
    this.texts = texts;
    this.view = new View(page, (pressed) => void this.pressed(pressed));
    this.board = new Board(this.view, texts);
    this.partySearch = new PartySearch(this.view, texts);
    this.foreign = new ForeignNotice(this.view, texts);
    this.enrolment = new Enrolment(this.view, texts);
    this.passes = new Passes(this.view, texts);
    this.camera = new CameraPanel(this.view.find("[data-camera]"), (code) => void this.scanned(code, true));
    this.phone = new ThisPhone(page, this.view, texts, {
      close: () => this.close(),
      open: () => this.openAgain(),
      render: () => this.render(),
      giveUp: async () => await this.giveUp(),
    });
    listenForScanner(page, (code) => void this.scanned(code));
    wakeWithFirstTouch(page);
    this.view.query.addEventListener("input", () => {
      if (this.session) this.partySearch.typed(this.session);
    });
    for (const sheet of page.querySelectorAll("dialog")) {
      sheet.addEventListener("close", () => this.watch());
    }
    addEventListener("hashchange", () => this.route());
    addEventListener("popstate", () => {
      if (this.view.isFinding) this.closeFind();
    });
    addEventListener("online", () => this.session?.sync.now());
    page.addEventListener("visibilitychange", () => {
      this.session?.state.clock.setVisible(!page.hidden);
      if (page.hidden) return;
      this.phone.woke();
      this.session?.sync.now();
      void this.tick();
    });
    setInterval(() => void this.tick(), TICK);
  }

  async start(): Promise<void> {
    try {
      this.store = await Store.open();
      this.contents = await this.store.read();
    } catch {
      // A private window, or a full disk: the board says so.
      this.store = undefined;
    }
    this.phone.start();
    this.route();
  }

  private route(): void {
    if (this.enrolment.hasInvitation) {
      this.phone.invited();
      this.camera.stop();
      this.leave();
      this.view.closeSheets();
      this.enrolment.ask(this.doorNow);
      void this.sendBefore();
      return;
    }
    this.phone.uninvited();
    if (this.session) {
      this.render();
    } else if (this.contents?.device) {
      this.open(this.contents.device);
    } else {
      this.view.screen("stranger");
      void this.passes.show(undefined);
    }
  }

  private open(device: Device): void {
    this.session?.stop();
    const session = this.begin(device);
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
    this.leave();
    this.last = undefined;
    this.partySearch.forget();
  }

  private openAgain(): void {
    this.leave();
    if (!this.session) return this.route();
    this.render();
    this.camera.resume();
    if (!this.session.state.ended && !this.camera.isOn) void this.startCamera();
  }

  /** The PIN is forgotten: end the session and drop the pass, so that no names can be loaded. */
  private async giveUp(): Promise<void> {
    this.passes.forget();
    await this.session?.endEvening();
  }

  private begin(device: Device): DoorSession {
    this.session = new DoorSession(device, this.contents, this.store, () => this.render());
    this.session.start();
    return this.session;
  }

  /** Send queued actions before the phone changes devices: only the token of their performance is accepted. */
  private async sendBefore(): Promise<void> {
    const num = this.waiting.length;
    if (num === 0) return;
    const session = this.session ?? this.begin(this.contents!.device!);
    try {
      await session.sync.flush();
      this.enrolment.sent(num);
    } catch {
      this.enrolment.warn(this.waiting.length);
    }
  }

  private async join(): Promise<void> {
    const { isWarned } = this.enrolment;
    await this.sendBefore();
    // Warn once that queued actions may be lost, and ask again.
    if (this.waiting.length > 0 && !isWarned) return;
    const enrolled = await this.enrolment.accept();
    if (!enrolled) return;
    this.phone.joined();
    await this.switchDevice(enrolled);
  }

  /** Become another device. Queued actions are kept if it is for the same performance. */
  private async switchDevice({ token, label, performance_id, rights }: Enrolled): Promise<void> {
    const before = this.session?.state.device ?? this.contents?.device;
    const { waiting } = this;
    this.session?.stop();
    const may = rights && { rights };
    const behind = before?.behind ?? 0;
    const device = { token, label, performanceId: performance_id, behind, ...may };
    try {
      this.store = await Store.open();
      if (before?.performanceId !== performance_id) {
        await this.store.forget(waiting.map((one) => one.order!));
      }
      await this.store.wipeList(device);
      this.contents = await this.store.read();
      void navigator.storage?.persist?.();
    } catch {
      this.store = this.contents = undefined;
    }
    this.open(device);
  }

  /** A description of the performance that this phone is enrolled for. */
  private get doorNow(): string | undefined {
    const device = this.session?.state.device ?? this.contents?.device;
    const performance = this.session?.state.performance ?? this.contents?.evening?.performance;
    if (!device || device.ended || !performance) return undefined;
    return `${performance.show_title}, ${this.texts.when(performance.starts_at)}`;
  }

  private get waiting(): StoredData["waiting"] {
    return [...(this.session?.state.waiting ?? this.contents?.waiting ?? [])];
  }

  // --- Codes and verdicts ---

  /** Handle a scanned or typed code. It replaces the card on the screen. */
  private async scanned(code: string, isByCamera = false): Promise<void> {
    this.phone.touched();
    if (this.phone.isCovered) return;
    if (isForeign(code)) this.foreign.show(code, isByCamera, this.phone.kiosk.isOn ? QUIET_AT_KIOSK : undefined);
    // Questions must be answered by a person first.
    else if (this.view.hasQuestion || this.enrolment.hasInvitation) signal("bad");
    else if (this.busy || this.scannedMeanwhile.length > 0) this.keepForLater(code);
    else await this.scanCode(code);
  }

  /** Queue the code until the pending verdict has been shown. */
  private keepForLater(code: string): void {
    // Users who hear no beep scan the same ticket again: that is not a second visitor.
    if (code !== this.asking && !this.scannedMeanwhile.includes(code)) {
      this.scannedMeanwhile.push(code);
    }
  }

  private async scanCode(code: string, asked: ScanOptions = {}): Promise<void> {
    await this.decide(async (session) => {
      this.asking = code;
      const way = this.isExit && { way: "out" as const };
      const result = await session.scan(code, { ...way, ...asked });
      // At a kiosk nobody can decide: refuse.
      const isOpen = result.kind === "not_listed" && this.phone.kiosk.isOn;
      return isOpen ? await session.settle(result, 0) : result;
    });
  }

  /** Ask for a verdict and show it. The previous card is cleared first, so that nobody takes it for the new one. */
  private async decide(
    ask: (session: DoorSession) => Promise<ScanResult>,
    card: (result: ScanResult) => Card = (result) => this.cardOf(result),
  ): Promise<void> {
    const { session } = this;
    if (!session || session.state.ended || this.busy) return;
    this.busy = true;
    this.camera.pause();
    this.clear();
    this.foreign.clear();
    this.view.closeSheets();
    const slow = setTimeout(() => this.show(checkingCard(this.texts)), SAY_CHECKING);
    try {
      const result = await ask(session);
      this.result = result;
      if (result.people > 0) this.last = result;
      else if (result.kind === "undone") this.last = undefined;
      this.showVerdict(this.phone.kiosk.isOn ? kioskCard(this.texts, result) : card(result));
    } catch (error) {
      this.showFailure(error);
    } finally {
      clearTimeout(slow);
      this.busy = false;
      this.asking = undefined;
      this.render();
    }
  }

  private cardOf(result: ScanResult): Card {
    return cardOf(result, this.texts, this.session!.state.cardContext);
  }

  private showVerdict(card: Card): void {
    const isGood = card.tone === "good" || card.kind === "let_out";
    const isWaitedFor = this.scannedMeanwhile.length > 0;
    const untaken = isWaitedFor && !isGood ? [this.texts.get("not_taken")] : [];
    this.show({ ...card, details: [...card.details, ...untaken] });
    signal(card.tone);
    // A good verdict makes way by itself. Others need attention: queued codes are dropped.
    const { kiosk } = this.phone;
    if (kiosk.isOn) this.glance = setTimeout(() => this.next(), kiosk.stays(card));
    else if (isGood) this.glance = setTimeout(() => this.continueQueue(), GLANCE);
    if (!isGood) this.scannedMeanwhile = [];
  }

  private show(card: Card): void {
    // The phone may have been locked meanwhile: then show nothing.
    if (!this.phone.isCovered) this.view.card(card);
  }

  /** After a good verdict: take the next queued code, or resume the camera. */
  private continueQueue(): void {
    const code = this.scannedMeanwhile.shift();
    if (code === undefined) this.camera.resume();
    else void this.scanCode(code);
  }

  private showFailure(error: unknown): void {
    this.clear();
    if (error instanceof NoAnswer) this.unanswered = error;
    else if (!(error instanceof Refused)) {
      this.leave();
      this.watch();
      throw error;
    }
    this.showVerdict(this.phone.kiosk.isOn ? kioskCard(this.texts) : troubleCard(this.texts, error));
  }

  private clear(): void {
    clearTimeout(this.glance);
    this.view.clearCard();
    this.result = this.unanswered = undefined;
  }

  /** Clear the card and drop queued codes. */
  private leave(): void {
    this.clear();
    this.scannedMeanwhile = [];
  }

  /** Resume the camera unless a card, sheet or request is open. */
  private watch(): void {
    if (!this.busy && !this.view.hasCard && !this.view.isOccupied) this.camera.resume();
  }

  private next(): void {
    this.clear();
    if (this.scannedMeanwhile.length > 0) return this.continueQueue();
    this.watch();
    if (this.view.isFinding) this.view.focusQuery();
    else this.view.giveFocusBack();
  }

  // --- What is pressed ---

  private async pressed(pressed: Pressed): Promise<void> {
    if (await this.phone.pressed(pressed)) return;
    const { act, people, about } = pressed;
    const { result } = this;
    switch (act) {
      case "join":
        return await this.join();
      case "decline":
        this.enrolment.forget();
        return this.route();
      case "next":
        return this.next();
      case "again":
        if (this.unanswered) await this.decide(this.unanswered.again);
        return;
      case "undo":
        return await this.undo(result);
      case "undo-last":
        return await this.undo(this.last);
      case "only":
        if (result) await this.decide(async (session) => await session.correct(result, people));
        return;
      case "let-in":
      case "late":
      case "let-out":
      case "in-again":
        return await this.letSome(about, people, act);
      case "entrance":
      case "exit":
        this.isExit = act === "exit";
        return this.render();
      case "walk-out":
      case "walk-again":
        return await this.decide(async (session) => {
          return await session.walkIn(people, act === "walk-out" ? "out" : "again");
        });
      case "unlisted":
      case "send-away":
        return await this.settle(result, people);
      case "walk-in":
        return await this.decide(async (session) => await session.walkIn(people));
      case "dismiss":
        return await this.session?.dismiss([about]);
      case "dismiss-all":
        return await this.session?.dismissAll();
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
        return await this.changeSeats(async (session) => this.releasedText(await session.release(this.view.takeTick("with-late"))));
      case "take-back":
        return await this.changeSeats(async (session) => this.restoredText(await session.restore()));
      case "over-yes":
        return await this.session?.endEvening();
      case "forget":
        await this.session?.forget();
        return location.replace(location.pathname);
      case "renew":
        return await renew();
    }
  }

  private async undo(result: ScanResult | undefined): Promise<void> {
    if (result) await this.decide(async (session) => await session.undo(result));
  }

  private async settle(result: ScanResult | undefined, people: number): Promise<void> {
    if (!result) return;
    await this.decide(
      async (session) => await session.settle(result, people),
      (settled) => settledCard(settled, this.texts),
    );
  }

  /** Let some people of the party on the card, or of a found one, in, out, or in again. */
  private async letSome(about: string, people: number, act: keyof typeof WAYS): Promise<void> {
    const party = about ? this.partySearch.shownParty(about) : this.result?.party;
    if (!party) return;
    const way = WAYS[act];
    const seen = way === "in" ? party.admitted : insideOf(party);
    await this.scanCode(party.reference, { people, seen, way, ...(act === "late" && { late: true }) });
  }

  private async search(): Promise<void> {
    const code = this.session && (await this.partySearch.submit(this.session));
    if (code) await this.scanned(code);
  }

  /** The panel gets a history entry, so that the phone's Back button closes it and does not leave the app. */
  private openFind(): void {
    this.camera.pause();
    if (!this.view.isFinding) history.pushState(null, "");
    this.view.openFind();
  }

  private closeFind(): void {
    this.view.closeFind();
    this.watch();
  }

  private openSheet(name: string): void {
    if (this.phone.isCovered) return;
    this.view.closeSheets();
    this.camera.pause();
    this.view.setText("release-done", undefined);
    this.view.setText("release-trouble", undefined);
    this.view.openSheet(name);
  }

  /** Release or restore seats; the sheet shows the text that `work` returns, or the error. */
  private async changeSeats(work: (session: DoorSession) => Promise<string>): Promise<void> {
    let [done, trouble]: (string | undefined)[] = [];
    try {
      if (this.session) done = await work(this.session);
    } catch (error) {
      if (error instanceof Unreachable) trouble = this.texts.get("release.offline");
      else if (error instanceof Refused) trouble = error.message;
      else throw error;
    }
    this.openSheet("more");
    this.view.setText("release-done", done);
    this.view.setText("release-trouble", trouble);
  }

  private releasedText({ places }: ReleaseResult): string {
    return this.texts.get("released.places", { num: places });
  }

  private restoredText({ places, missing }: ReleaseResult): string {
    return [
      this.texts.get("taken_back", { num: places }),
      ...(missing > 0 ? [this.texts.get("taken_back.missing", { num: missing })] : []),
    ].join(" ");
  }

  // --- What is shown all the time ---

  private render(): void {
    const { session } = this;
    if (!session || this.enrolment.hasInvitation) return;
    if (session.state.ended) {
      this.phone.ended();
      this.camera.stop();
      this.leave();
      this.last = undefined;
      this.partySearch.forget();
      this.view.closeSheets();
      if (session.state.ended === "revoked") this.passes.forget();
      void this.passes.show(session.state.device.performanceId);
      return this.board.showEnd(session.state);
    }
    void this.passes.show(session.state.device.performanceId);
    // No exits if re-entry was switched off, or at a kiosk.
    if (!session.state.reentry || this.phone.kiosk.isOn) this.isExit = false;
    this.board.show(session, this.last, this.isExit);
    this.view.setText("lock-state", this.view.find("[data-state]").textContent);
    this.partySearch.refresh(session);
  }

  private async tick(): Promise<void> {
    await this.session?.lookAtClock();
    this.render();
    // Nobody presses the button at a kiosk. Not at once: if no newer version can be loaded, the page would reload all the time.
    if (this.session?.isOutdated && this.phone.kiosk.isOn && performance.now() > KIOSK_RENEWS) await renew();
  }
}
