/** Scans at the door: takes codes one at a time, asks the session for verdicts and shows their cards. */

import type { CameraPanel } from "./camera/camera-panel.ts";
import { kioskCard } from "./phone/kiosk.ts";
import type { ThisPhone } from "./phone/this-phone.ts";
import { isForeign } from "./rules/foreign-codes.ts";
import { insideOf, type ScanOptions } from "./rules/verdicts.ts";
import { cardOf, checkingCard, settledCard, troubleCard, type Card } from "./screen/cards.ts";
import { QUIET_AT_KIOSK, type ForeignNotice } from "./screen/foreign-notice.ts";
import { signal } from "./screen/signals.ts";
import type { Texts } from "./screen/texts.ts";
import type { View } from "./screen/view.ts";
import { Refused } from "./sync/server.ts";
import type { ScanResult } from "./rules/scan-result.ts";
import { NoAnswer, type DoorSession } from "./sync/session.ts";

/** The direction that each button stands for. */
const WAYS = { "let-in": "in", late: "in", "let-out": "out", "in-again": "again" } as const;
/** Milliseconds that a good verdict stays before the next code is taken. */
const GLANCE = 1_500;
/** Milliseconds without an answer after which "Checking…" is shown. */
const SAY_CHECKING = 120;

export type LetAct = keyof typeof WAYS;
type ShownParty = NonNullable<ScanResult["party"]>;

/** What scanning asks of the app. */
interface App {
  session(): DoorSession | undefined;
  /** Whether an invitation is on the screen. */
  isEnrolling(): boolean;
  render(): void;
}

export class Scanning {
  /** The result on the card on the screen. */
  result: ScanResult | undefined;
  /** The last result that changed who is inside, which can be undone from the board. */
  last: ScanResult | undefined;
  /** Scans at this phone let people out. */
  isExit = false;
  private readonly view: View;
  private readonly texts: Texts;
  private readonly camera: CameraPanel;
  private readonly phone: ThisPhone;
  private readonly foreign: ForeignNotice;
  private readonly app: App;
  private busy = false;
  /** The code whose verdict is pending. */
  private asking: string | undefined;
  /** Codes that were scanned while another one was pending, in order. */
  private scannedMeanwhile: string[] = [];
  private unanswered: NoAnswer | undefined;
  private glance: ReturnType<typeof setTimeout> | undefined;

  constructor(view: View, texts: Texts, camera: CameraPanel, phone: ThisPhone, foreign: ForeignNotice, app: App) {
    this.view = view;
    this.texts = texts;
    this.camera = camera;
    this.phone = phone;
    this.foreign = foreign;
    this.app = app;
  }

  /** Handle a scanned or typed code. It replaces the card on the screen. */
  async scanned(code: string, isByCamera = false): Promise<void> {
    this.phone.touched();
    if (this.phone.isCovered) return;
    if (isForeign(code)) this.foreign.show(code, isByCamera, this.phone.kiosk.isOn ? QUIET_AT_KIOSK : undefined);
    // Questions must be answered by a person first.
    else if (this.view.hasQuestion || this.app.isEnrolling()) signal("bad");
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
    const session = this.app.session();
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
      this.app.render();
    }
  }

  private cardOf(result: ScanResult): Card {
    return cardOf(result, this.texts, this.app.session()!.state.cardContext);
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
  leave(): void {
    this.clear();
    this.scannedMeanwhile = [];
  }

  /** Resume the camera unless a card, sheet or request is open. */
  watch(): void {
    if (!this.busy && !this.view.hasCard && !this.view.isOccupied) this.camera.resume();
  }

  /** Close the card and go on: with a queued code, or the camera. */
  next(): void {
    this.clear();
    if (this.scannedMeanwhile.length > 0) return this.continueQueue();
    this.watch();
    if (this.view.isFinding) this.view.focusQuery();
    else this.view.giveFocusBack();
  }

  /** Ask again for the verdict that got no answer. */
  async again(): Promise<void> {
    if (this.unanswered) await this.decide(this.unanswered.again);
  }

  async undo(result: ScanResult | undefined): Promise<void> {
    if (result) await this.decide(async (session) => await session.undo(result));
  }

  /** Correct how many people of the party on the card came in. */
  async correct(people: number): Promise<void> {
    const { result } = this;
    if (result) await this.decide(async (session) => await session.correct(result, people));
  }

  async walkIn(people: number, way?: "out" | "again"): Promise<void> {
    await this.decide(async (session) => await session.walkIn(people, way));
  }

  /** Decide about a ticket that is not on the phone's list: let `people` in, or nobody. */
  async settle(people: number): Promise<void> {
    const { result } = this;
    if (!result) return;
    await this.decide(
      async (session) => await session.settle(result, people),
      (settled) => settledCard(settled, this.texts),
    );
  }

  /** Let some people of a party in, out, or in again. */
  async letSome(party: ShownParty, people: number, act: LetAct): Promise<void> {
    const way = WAYS[act];
    const seen = way === "in" ? party.admitted : insideOf(party);
    await this.scanCode(party.reference, { people, seen, way, ...(act === "late" && { late: true }) });
  }
}
