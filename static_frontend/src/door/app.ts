/** The door app: what was pressed, scanned or answered, and what follows from it. */

import { Board } from "./board.ts";
import { CameraPanel } from "./camera.ts";
import { cardOf, checkingCard, settledCard, troubleCard, type Card } from "./cards.ts";
import { Evening, NoAnswer, type Told } from "./evening.ts";
import { Finder } from "./finder.ts";
import { ForeignNotice, isForeign, QUIET_AT_KIOSK } from "./foreign.ts";
import { Join } from "./join.ts";
import { listenForScanner } from "./keys.ts";
import { Passes } from "./passes.ts";
import { Away, Refused, type Enrolled, type Places } from "./server.ts";
import { kioskCard } from "./kiosk.ts";
import { ThisPhone } from "./phone.ts";
import { renew } from "./shell.ts";
import { signal, wakeWithFirstTouch } from "./signals.ts";
import { Store, type Contents, type Device } from "./store.ts";
import { insideOf, type Asked } from "./verdicts.ts";
import { View, type Pressed } from "./view.ts";
import type { Words } from "./words.ts";

/** Which way people go by which button. */
const WAYS = { "let-in": "in", late: "in", "let-out": "out", "in-again": "again" } as const;
/** Milliseconds a good verdict is there at least, before the next code takes its place. */
const GLANCE = 1_500;
/** Milliseconds without an answer after which the page says that it is asking. */
const SAY_CHECKING = 120;
/** Milliseconds between two looks at the clock. */
const TICK = 15_000;
/** Milliseconds that a kiosk's page is there before it loads a newer one by itself. */
const KIOSK_RENEWS = 60_000;

export class App {
  private readonly words: Words;
  private readonly view: View;
  private readonly board: Board;
  private readonly finder: Finder;
  private readonly foreign: ForeignNotice;
  private readonly joining: Join;
  private readonly passes: Passes;
  private readonly camera: CameraPanel;
  private readonly phone: ThisPhone;
  private store: Store | undefined;
  private contents: Contents | undefined;
  private evening: Evening | undefined;
  private busy = false;
  /** The code that is asked about. */
  private asking: string | undefined;
  /** Codes that were scanned meanwhile, in their order. */
  private scannedMeanwhile: string[] = [];
  /** What the card on the screen is about. */
  private told: Told | undefined;
  private unanswered: NoAnswer | undefined;
  private last: Told | undefined;
  /** Who is scanned here goes out. */
  private isExit = false;
  private glance: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Document, words: Words) {
    this.words = words;
    this.view = new View(page, (pressed) => void this.pressed(pressed));
    this.board = new Board(this.view, words);
    this.finder = new Finder(this.view, words);
    this.foreign = new ForeignNotice(this.view, words);
    this.joining = new Join(this.view, words);
    this.passes = new Passes(this.view, words);
    this.camera = new CameraPanel(this.view.find("[data-camera]"), (code) => void this.scanned(code, true));
    this.phone = new ThisPhone(page, this.view, words, {
      close: () => this.close(),
      open: () => this.openAgain(),
      render: () => this.render(),
      giveUp: async () => await this.giveUp(),
    });
    listenForScanner(page, (code) => void this.scanned(code));
    wakeWithFirstTouch(page);
    this.view.query.addEventListener("input", () => {
      if (this.evening) this.finder.typed(this.evening);
    });
    for (const sheet of page.querySelectorAll("dialog")) {
      sheet.addEventListener("close", () => this.watch());
    }
    addEventListener("hashchange", () => this.arrive());
    addEventListener("popstate", () => {
      if (this.view.isFinding) this.closeFind();
    });
    addEventListener("online", () => this.evening?.sync.now());
    page.addEventListener("visibilitychange", () => {
      this.evening?.book.clock.seen(!page.hidden);
      if (page.hidden) return;
      this.phone.woke();
      this.evening?.sync.now();
      void this.tick();
    });
    setInterval(() => void this.tick(), TICK);
  }

  async start(): Promise<void> {
    try {
      this.store = await Store.open();
      this.contents = await this.store.read();
    } catch {
      // A private window, or a full disk: said on the door's screen.
      this.store = undefined;
    }
    this.phone.start();
    this.arrive();
  }

  private arrive(): void {
    if (this.joining.isAsked) {
      this.phone.invited();
      this.camera.stop();
      this.leave();
      this.view.closeSheets();
      this.joining.ask(this.doorNow);
      void this.sendBefore();
      return;
    }
    this.phone.uninvited();
    if (this.evening) {
      this.render();
    } else if (this.contents?.device) {
      this.open(this.contents.device);
    } else {
      this.view.screen("stranger");
      void this.passes.show(undefined);
    }
  }

  private open(device: Device): void {
    this.evening?.stop();
    const evening = this.begin(device);
    this.render();
    if (!evening.book.ended && !this.phone.isCovered) void this.startCamera();
  }

  /** A kiosk has nobody who would turn it on. */
  private async startCamera(): Promise<void> {
    await (this.phone.kiosk.isOn ? this.camera.start() : this.camera.startAgain());
  }

  /** The phone is locked: nobody's name stays on the screen. */
  private close(): void {
    this.camera.stop();
    this.leave();
    this.last = undefined;
    this.finder.forget();
  }

  private openAgain(): void {
    this.leave();
    if (!this.evening) return this.arrive();
    this.render();
    this.camera.resume();
    if (!this.evening.book.ended && !this.camera.isOn) void this.startCamera();
  }

  /** Who forgot the PIN gets no names, neither of this evening nor of others. */
  private async giveUp(): Promise<void> {
    this.passes.forget();
    await this.evening?.endHere();
  }

  private begin(device: Device): Evening {
    this.evening = new Evening(device, this.contents, this.store, () => this.render());
    this.evening.start();
    return this.evening;
  }

  /** Send what waits with the token of its evening: that of another one would not do. */
  private async sendBefore(): Promise<void> {
    const num = this.waiting.length;
    if (num === 0) return;
    const evening = this.evening ?? this.begin(this.contents!.device!);
    try {
      await evening.sync.flush();
      this.joining.sent(num);
    } catch {
      this.joining.warn(this.waiting.length);
    }
  }

  private async join(): Promise<void> {
    const { isWarned } = this.joining;
    await this.sendBefore();
    // Whoever did not know that something may be lost is asked once more.
    if (this.waiting.length > 0 && !isWarned) return;
    const enrolled = await this.joining.accept();
    if (!enrolled) return;
    this.phone.joined();
    await this.become(enrolled);
  }

  /** Be another device than before; what waits goes along if it is of the same evening. */
  private async become({ token, label, performance_id, rights }: Enrolled): Promise<void> {
    const before = this.evening?.book.device ?? this.contents?.device;
    const { waiting } = this;
    this.evening?.stop();
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

  /** The evening whose door this phone is, in words. */
  private get doorNow(): string | undefined {
    const device = this.evening?.book.device ?? this.contents?.device;
    const performance = this.evening?.book.performance ?? this.contents?.evening?.performance;
    if (!device || device.ended || !performance) return undefined;
    return `${performance.show_title}, ${this.words.when(performance.starts_at)}`;
  }

  private get waiting(): Contents["waiting"] {
    return [...(this.evening?.book.waiting ?? this.contents?.waiting ?? [])];
  }

  // --- Codes and verdicts ---

  /** A code that was scanned or typed: whoever does so has done with what is on the screen. */
  private async scanned(code: string, isByCamera = false): Promise<void> {
    this.phone.touched();
    if (this.phone.isCovered) return;
    if (isForeign(code)) this.foreign.tell(code, isByCamera, this.phone.kiosk.isOn ? QUIET_AT_KIOSK : undefined);
    // But for these, which only a person can decide.
    else if (this.view.hasQuestion || this.joining.isAsked) signal("bad");
    else if (this.busy || this.scannedMeanwhile.length > 0) this.keepForLater(code);
    else await this.let(code);
  }

  /** Its turn comes when the one before was answered, and its verdict seen. */
  private keepForLater(code: string): void {
    // Whoever hears nothing pulls the trigger again: that is no second visitor.
    if (code !== this.asking && !this.scannedMeanwhile.includes(code)) {
      this.scannedMeanwhile.push(code);
    }
  }

  private async let(code: string, asked: Asked = {}): Promise<void> {
    await this.decide(async (evening) => {
      this.asking = code;
      const way = this.isExit && { way: "out" as const };
      const told = await evening.scan(code, { ...way, ...asked });
      // Nobody is there who could decide.
      const isOpen = told.kind === "not_listed" && this.phone.kiosk.isOn;
      return isOpen ? await evening.settle(told, 0) : told;
    });
  }

  /** Ask for a verdict and show it. The one before must never stand there for this one. */
  private async decide(
    ask: (evening: Evening) => Promise<Told>,
    card: (told: Told) => Card = (told) => this.cardOf(told),
  ): Promise<void> {
    const { evening } = this;
    if (!evening || evening.book.ended || this.busy) return;
    this.busy = true;
    this.camera.pause();
    this.clear();
    this.foreign.clear();
    this.view.closeSheets();
    const slow = setTimeout(() => this.show(checkingCard(this.words)), SAY_CHECKING);
    try {
      const told = await ask(evening);
      this.told = told;
      if (told.people > 0) this.last = told;
      else if (told.kind === "undone") this.last = undefined;
      this.meet(this.phone.kiosk.isOn ? kioskCard(this.words, told) : card(told));
    } catch (error) {
      this.fail(error);
    } finally {
      clearTimeout(slow);
      this.busy = false;
      this.asking = undefined;
      this.render();
    }
  }

  private cardOf(told: Told): Card {
    return cardOf(told, this.words, this.evening!.book.facing);
  }

  private meet(card: Card): void {
    const isGood = card.tone === "good" || card.kind === "let_out";
    const isWaitedFor = this.scannedMeanwhile.length > 0;
    const untaken = isWaitedFor && !isGood ? [this.words.say("not_taken")] : [];
    this.show({ ...card, details: [...card.details, ...untaken] });
    signal(card.tone);
    // People who are let in walk on; whoever is not has to be looked at, and nobody else meanwhile.
    const { kiosk } = this.phone;
    if (kiosk.isOn) this.glance = setTimeout(() => this.next(), kiosk.stays(card));
    else if (isGood) this.glance = setTimeout(() => this.goOn(), GLANCE);
    if (!isGood) this.scannedMeanwhile = [];
  }

  private show(card: Card): void {
    // Locked since it was asked: the next who looks at the screen may be anybody.
    if (!this.phone.isCovered) this.view.card(card);
  }

  /** A good verdict was seen: the next ticket, or whatever the camera sees. */
  private goOn(): void {
    const code = this.scannedMeanwhile.shift();
    if (code === undefined) this.camera.resume();
    else void this.let(code);
  }

  private fail(error: unknown): void {
    this.clear();
    if (error instanceof NoAnswer) this.unanswered = error;
    else if (!(error instanceof Refused)) {
      this.leave();
      this.watch();
      throw error;
    }
    this.meet(this.phone.kiosk.isOn ? kioskCard(this.words) : troubleCard(this.words, error));
  }

  private clear(): void {
    clearTimeout(this.glance);
    this.view.clearCard();
    this.told = this.unanswered = undefined;
  }

  /** Nobody is let in here any more, or not for now. */
  private leave(): void {
    this.clear();
    this.scannedMeanwhile = [];
  }

  /** Look for the next code, unless something else is in hand. */
  private watch(): void {
    if (!this.busy && !this.view.hasCard && !this.view.isOccupied) this.camera.resume();
  }

  private next(): void {
    this.clear();
    if (this.scannedMeanwhile.length > 0) return this.goOn();
    this.watch();
    if (this.view.isFinding) this.view.focusQuery();
    else this.view.giveFocusBack();
  }

  // --- What is pressed ---

  private async pressed(pressed: Pressed): Promise<void> {
    if (await this.phone.pressed(pressed)) return;
    const { act, people, about } = pressed;
    const { told } = this;
    switch (act) {
      case "join":
        return await this.join();
      case "decline":
        this.joining.forget();
        return this.arrive();
      case "next":
        return this.next();
      case "again":
        if (this.unanswered) await this.decide(this.unanswered.again);
        return;
      case "undo":
        return await this.undo(told);
      case "undo-last":
        return await this.undo(this.last);
      case "only":
        if (told) await this.decide(async (evening) => await evening.correct(told, people));
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
        return await this.decide(async (evening) => {
          return await evening.walkIn(people, act === "walk-out" ? "out" : "again");
        });
      case "unlisted":
      case "send-away":
        return await this.settle(told, people);
      case "walk-in":
        return await this.decide(async (evening) => await evening.walkIn(people));
      case "dismiss":
        return await this.evening?.dismiss([about]);
      case "dismiss-all":
        return await this.evening?.dismissAll();
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
        return await this.change(async (evening) => this.freed(await evening.release(this.view.takeTick("with-late"))));
      case "take-back":
        return await this.change(async (evening) => this.heldAgain(await evening.takeBack()));
      case "over-yes":
        return await this.evening?.endHere();
      case "forget":
        await this.evening?.forget();
        return location.replace(location.pathname);
      case "renew":
        return await renew();
    }
  }

  private async undo(told: Told | undefined): Promise<void> {
    if (told) await this.decide(async (evening) => await evening.undo(told));
  }

  private async settle(told: Told | undefined, people: number): Promise<void> {
    if (!told) return;
    await this.decide(
      async (evening) => await evening.settle(told, people),
      (settled) => settledCard(settled, this.words),
    );
  }

  /** Let in some of the party on the card, or of one that was found; or out, and in again. */
  private async letSome(about: string, people: number, act: keyof typeof WAYS): Promise<void> {
    const party = about ? this.finder.shownParty(about) : this.told?.party;
    if (!party) return;
    const way = WAYS[act];
    const seen = way === "in" ? party.admitted : insideOf(party);
    await this.let(party.reference, { people, seen, way, ...(act === "late" && { late: true }) });
  }

  private async search(): Promise<void> {
    const code = this.evening && (await this.finder.submit(this.evening));
    if (code) await this.scanned(code);
  }

  /** The panel is a step of its own in the history: a phone's Back closes it, and does not leave the door. */
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
    this.view.say("release-done", undefined);
    this.view.say("release-trouble", undefined);
    this.view.openSheet(name);
  }

  /** Do something about places; what `work` says of it stands in the sheet then. */
  private async change(work: (evening: Evening) => Promise<string>): Promise<void> {
    let [done, trouble]: (string | undefined)[] = [];
    try {
      if (this.evening) done = await work(this.evening);
    } catch (error) {
      if (error instanceof Away) trouble = this.words.say("release.offline");
      else if (error instanceof Refused) trouble = error.message;
      else throw error;
    }
    this.openSheet("more");
    this.view.say("release-done", done);
    this.view.say("release-trouble", trouble);
  }

  private freed({ places }: Places): string {
    return this.words.say("released.places", { num: places });
  }

  private heldAgain({ places, missing }: Places): string {
    return [
      this.words.say("taken_back", { num: places }),
      ...(missing > 0 ? [this.words.say("taken_back.missing", { num: missing })] : []),
    ].join(" ");
  }

  // --- What is shown all the time ---

  private render(): void {
    const { evening } = this;
    if (!evening || this.joining.isAsked) return;
    if (evening.book.ended) {
      this.phone.ended();
      this.camera.stop();
      this.leave();
      this.last = undefined;
      this.finder.forget();
      this.view.closeSheets();
      if (evening.book.ended === "revoked") this.passes.forget();
      void this.passes.show(evening.book.device.performanceId);
      return this.board.showEnd(evening.book);
    }
    void this.passes.show(evening.book.device.performanceId);
    // Switched off meanwhile, nobody goes out any more; nor by themselves, at a kiosk.
    if (!evening.book.reentry || this.phone.kiosk.isOn) this.isExit = false;
    this.board.show(evening, this.last, this.isExit);
    this.view.say("lock-state", this.view.find("[data-state]").textContent);
    this.finder.refresh(evening);
  }

  private async tick(): Promise<void> {
    await this.evening?.lookAtClock();
    this.render();
    // Nobody stands at a kiosk who would press the button. Not at once: there may be no newer page to load.
    if (this.evening?.isOutdated && this.phone.kiosk.isOn && performance.now() > KIOSK_RENEWS) await renew();
  }
}
