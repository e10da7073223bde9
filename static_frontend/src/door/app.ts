/** The door app: what was pressed, scanned or answered, and what is shown for it. */

import { CameraPanel } from "./camera.ts";
import {
  asideWords,
  cardOf,
  checkingCard,
  conflictWords,
  headsFor,
  partyOf,
  settledCard,
  troubleCard,
  type Card,
  type Facing,
} from "./cards.ts";
import { Evening, NoAnswer, type Told } from "./evening.ts";
import { readReference, type KnownParty } from "./house.ts";
import { listenForScanner } from "./keys.ts";
import { Away, enrol, Refused } from "./server.ts";
import { renew } from "./shell.ts";
import { signal } from "./signals.ts";
import { Store, type Contents } from "./store.ts";
import type { Asked } from "./verdicts.ts";
import { View, type Found, type Pressed } from "./view.ts";
import type { Words } from "./words.ts";

const INVITATION = /^#join=(.+)$/;
const LABEL = "azionelab.door";
/** Milliseconds a good verdict is there at least, before the next code takes its place. */
const GLANCE = 1_500;
/** Milliseconds without an answer after which the page says that it is asking. */
const SAY_CHECKING = 120;
/** Milliseconds between two looks at the clock. */
const TICK = 15_000;
/** Milliseconds before the curtain from which a door of another day is nothing to wonder at. */
const DOORS_OPEN = 6 * 3_600_000;

export class App {
  private readonly words: Words;
  private readonly view: View;
  private readonly camera: CameraPanel;
  private store: Store | undefined;
  private contents: Contents | undefined;
  private evening: Evening | undefined;
  private busy = false;
  /** What the card on the screen is about. */
  private told: Told | undefined;
  private unanswered: NoAnswer | undefined;
  /** The last people let in here, for whoever pressed Next too early. */
  private last: Told | undefined;
  private glance: ReturnType<typeof setTimeout> | undefined;

  constructor(page: Document, words: Words) {
    this.words = words;
    this.view = new View(page, (pressed) => void this.pressed(pressed));
    this.camera = new CameraPanel(this.view.find("[data-camera]"), (code) => void this.seen(code));
    listenForScanner(page, (code) => void this.scanned(code));
    this.view.find("[data-join]").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.join();
    });
    this.view.find("[data-search]").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.submitQuery();
    });
    this.view.query.addEventListener("input", () => this.showFound(this.findHere()));
    addEventListener("hashchange", () => this.arrive());
    addEventListener("online", () => this.evening?.sync.now());
    page.addEventListener("visibilitychange", () => {
      if (!page.hidden) this.evening?.sync.now();
    });
    for (const sheet of page.querySelectorAll("dialog")) {
      sheet.addEventListener("close", () => this.watch());
    }
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
    this.arrive();
  }

  private arrive(): void {
    if (INVITATION.test(location.hash)) this.showJoin();
    else if (this.evening) this.render();
    else if (this.contents?.device) {
      this.open(new Evening(this.contents.device, this.contents, this.store, () => this.render()));
    } else this.view.screen("stranger");
  }

  private open(evening: Evening): void {
    this.evening?.stop();
    this.evening = evening;
    evening.start();
    this.render();
    if (!evening.ended) void this.camera.startAgain();
  }

  // --- Enrolling ---

  private showJoin(): void {
    this.camera.stop();
    this.clear();
    const label = this.view.find<HTMLInputElement>("#label");
    label.value = readLabel() || label.value;
    const waiting = (this.evening?.waiting ?? this.contents?.waiting ?? []).length;
    this.view.say(
      "join-trouble",
      waiting ? this.words.say("join.waiting", { num: waiting }) : undefined,
    );
    this.view.screen("join");
    label.select();
  }

  private async join(): Promise<void> {
    const invitation = INVITATION.exec(location.hash)?.[1];
    const label = this.view.find<HTMLInputElement>("#label").value.trim();
    if (!invitation || !label || this.busy) return;
    this.busy = true;
    try {
      const enrolled = await enrol(decodeURIComponent(invitation), label);
      keepLabel(label);
      // An invitation is of no more use, and must not stand in the browser's history.
      history.replaceState(null, "", location.pathname);
      await this.become(enrolled.token, enrolled.label, enrolled.performance_id);
    } catch (error) {
      this.view.say("join-trouble", this.words.say(joinTrouble(error)));
    } finally {
      this.busy = false;
    }
  }

  private async become(token: string, label: string, performanceId: number): Promise<void> {
    const before = this.evening?.device ?? this.contents?.device;
    const waiting = this.evening?.waiting ?? this.contents?.waiting ?? [];
    this.evening?.stop();
    const device = { token, label, performanceId, behind: before?.behind ?? 0 };
    try {
      this.store ??= await Store.open();
      if (before?.performanceId !== performanceId) {
        await this.store.forget(waiting.map((one) => one.order!));
      }
      await this.store.wipeList(device);
      this.contents = await this.store.read();
      void navigator.storage?.persist?.();
    } catch {
      this.store = this.contents = undefined;
    }
    this.open(new Evening(device, this.contents, this.store, () => this.render()));
  }

  // --- Codes ---

  /** A code that the camera sees. */
  private async seen(code: string): Promise<void> {
    if (this.evening && !this.busy) await this.let(code);
  }

  /** A code from a hand scanner: whoever pulls its trigger has done with what is on the screen. */
  private async scanned(code: string): Promise<void> {
    if (!this.evening || this.evening.ended || this.busy) return;
    if (this.told?.kind === "not_listed") signal("bad");
    else await this.let(code);
  }

  private async let(code: string, asked: Asked = {}): Promise<void> {
    await this.decide(async (evening) => await evening.scan(code, asked));
  }

  /** Ask for a verdict and show it. The one before must never stand there for this one. */
  private async decide(
    ask: (evening: Evening) => Promise<Told>,
    card: (told: Told) => Card = (told) => cardOf(told, this.words, this.facing),
  ): Promise<void> {
    const evening = this.evening;
    if (!evening || this.busy) return;
    this.busy = true;
    this.clear();
    this.view.closeSheets();
    this.camera.pause();
    const slow = setTimeout(() => this.view.card(checkingCard(this.words)), SAY_CHECKING);
    try {
      const told = await ask(evening);
      this.told = told;
      if (told.people > 0) this.last = told;
      else if (told.kind === "undone") this.last = undefined;
      this.meet(card(told));
    } catch (error) {
      this.fail(error);
    } finally {
      clearTimeout(slow);
      this.busy = false;
      this.render();
    }
  }

  private meet(card: Card): void {
    this.view.card(card);
    signal(card.tone);
    // People who are let in walk on; whoever is not has to be looked at.
    if (card.tone === "good") this.glance = setTimeout(() => this.camera.resume(), GLANCE);
  }

  /** Look for the next code, unless something else is in hand. */
  private watch(): void {
    if (!this.busy && !this.view.hasCard && !this.view.isOccupied) this.camera.resume();
  }

  private fail(error: unknown): void {
    if (this.evening?.ended) return this.clear();
    if (error instanceof NoAnswer) this.unanswered = error;
    else if (!(error instanceof Refused)) {
      this.clear();
      this.watch();
      throw error;
    }
    this.meet(troubleCard(this.words, error));
  }

  private clear(): void {
    clearTimeout(this.glance);
    this.view.clearCard();
    this.told = this.unanswered = undefined;
  }

  private next(): void {
    this.clear();
    this.watch();
    if (this.view.isFinding) this.view.focusQuery();
  }

  // --- What is pressed ---

  private async pressed({ act, people, about }: Pressed): Promise<void> {
    const told = this.told;
    switch (act) {
      case "next":
        return this.next();
      case "again":
        if (this.unanswered) await this.decide(this.unanswered.again);
        return;
      case "undo":
        if (told) await this.undo(told);
        return;
      case "undo-last":
        if (this.last) await this.undo(this.last);
        return;
      case "only":
        if (told) await this.decide(async (evening) => await evening.correct(told, people));
        return;
      case "let-in":
      case "late":
        return await this.letSome(about || told?.party?.reference, people, act === "late");
      case "unlisted":
      case "send-away":
        if (told) {
          await this.decide(
            async (evening) => await evening.settle(told, people),
            (settled) => settledCard(settled, this.words),
          );
        }
        return;
      case "walk-in":
        return await this.decide(async (evening) => await evening.walkIn(people));
      case "dismiss":
        return await this.evening?.dismiss(about);
      case "find":
        this.camera.pause();
        return this.view.openFind();
      case "close-find":
        this.view.closeFind();
        return this.watch();
      case "more":
        this.camera.pause();
        this.renderSheets();
        return this.view.openSheet("more");
      case "close":
        return this.view.closeSheets();
      case "release":
        this.view.closeSheets();
        this.camera.pause();
        return this.view.openSheet("release");
      case "release-yes":
        return await this.change(async (evening) => await evening.release());
      case "take-back":
        return await this.change(async (evening) => await evening.takeBack());
      case "decline":
        history.replaceState(null, "", location.pathname);
        return this.arrive();
      case "forget":
        await this.evening?.forget();
        return location.replace(location.pathname);
      case "renew":
        return await renew();
    }
  }

  private async undo(told: Told): Promise<void> {
    await this.decide(async (evening) => await evening.undo(told));
  }

  private async letSome(reference: string | undefined, people: number, late: boolean): Promise<void> {
    const party = this.told?.party ?? this.shownParties.get(reference ?? "");
    if (!party) return;
    const code = reference ?? party.reference;
    await this.let(code, { people, seen: party.admitted, ...(late && { late }) });
  }

  private async change(work: (evening: Evening) => Promise<void>): Promise<void> {
    if (!this.evening) return;
    let trouble: string | undefined;
    try {
      await work(this.evening);
    } catch (error) {
      if (error instanceof Away) trouble = this.words.say("release.offline");
      else if (error instanceof Refused) trouble = error.message;
      else throw error;
    }
    this.view.closeSheets();
    this.camera.pause();
    this.view.openSheet("more");
    this.renderSheets();
    this.view.say("release-trouble", trouble);
  }

  // --- Names ---

  private shownParties = new Map<string, KnownParty>();

  private findHere(): KnownParty[] {
    return this.evening?.search(this.view.query.value) ?? [];
  }

  private async submitQuery(): Promise<void> {
    const typed = this.view.query.value.trim();
    if (!typed || !this.evening) return;
    let found = this.findHere();
    const reference = readReference(typed);
    const isCode = typed.includes("/") || /^[\w-]{43}$/.test(typed);
    // Some names could be references.
    if (isCode || (reference && (this.evening.isListed(reference) || found.length === 0))) {
      this.view.query.value = "";
      this.showFound([]);
      return await this.scanned(typed);
    }
    if (found.length === 0 && !this.evening.sync.isAway) {
      found = await this.evening.searchEverywhere(typed).catch(() => []);
    }
    this.showFound(found, true);
    // Not their first button: an Enter too many must let nobody in.
    if (found.length > 0) this.view.focusFound();
  }

  private showFound(parties: readonly KnownParty[], isAsked = false): void {
    this.shownParties = new Map(parties.map((party) => [party.reference, party]));
    this.view.found(parties.map((party): Found => ({
      reference: party.reference,
      party: partyOf(party, this.words),
      note: party.state === "confirmed" ? "" : this.words.say("not_confirmed"),
      heads: party.state === "confirmed" ? headsFor(party, this.words) : [],
    })));
    const nobody = isAsked && parties.length === 0;
    this.view.say("found-none", nobody ? this.nobodyFound() : undefined);
  }

  private nobodyFound(): string {
    const { sync, listedAt } = this.evening!;
    return sync.isAway && listedAt
      ? this.words.say("found.list", { at: this.words.clock(listedAt) })
      : this.words.say("found.none");
  }

  // --- What is shown all the time ---

  private render(): void {
    const evening = this.evening;
    if (!evening || INVITATION.test(location.hash)) return;
    if (evening.ended) return this.renderEnd(evening);
    this.view.screen("door");
    const { performance, counts, listedAt } = evening;
    this.view.say("title", performance?.show_title ?? evening.device.label);
    this.view.say("when", performance && this.words.when(performance.starts_at));
    this.view.mark("net", evening.sync.isAway ? "away" : "online");
    this.view.say("state", this.stateWords(evening));
    for (const name of ["expected", "inside", "to_come", "free"] as const) {
      this.view.count(name, counts?.[name]);
    }
    this.view.show("outdated", evening.isOutdated);
    this.view.say(
      "keeps-nothing",
      evening.keepsNothing ? this.words.say("keeps.nothing") : undefined,
    );
    this.view.say("caution", this.cautionWords(evening));
    this.renderNotices(evening);
    this.view.say("last-words", this.last && this.lastWords(this.last));
    this.view.show("last", this.last !== undefined);
    this.renderSheets();
    if (listedAt && this.view.query.value && !this.busy && !this.view.hasCard) {
      this.refreshFound();
    }
  }

  /** Numbers of the shown parties follow; the list itself stays as it is under the finger. */
  private refreshFound(): void {
    for (const party of this.findHere()) {
      if (this.shownParties.get(party.reference)?.admitted !== party.admitted) {
        return this.showFound(this.findHere());
      }
    }
  }

  private renderEnd(evening: Evening): void {
    const waiting = evening.waiting.length;
    this.camera.stop();
    this.clear();
    this.view.closeSheets();
    this.view.say("ended-title", this.words.say(`ended.${evening.ended!}`));
    this.view.say("ended-detail", this.words.say(`ended.${evening.ended!}.detail`));
    this.view.say(
      "ended-waiting",
      waiting ? this.words.say("forget.waiting", { num: waiting }) : undefined,
    );
    this.view.show("forget", waiting > 0);
    this.view.screen("ended");
  }

  private stateWords({ awaySince, waiting, listedAt }: Evening): string {
    const since = awaySince && this.words.clock(awaySince);
    const list = listedAt && this.words.clock(listedAt);
    return [
      since
        ? this.words.say("state.away", { at: since })
        : this.words.say(list ? "state.online" : "state.starting"),
      ...(waiting.length > 0 ? [this.words.say("state.waiting", { num: waiting.length })] : []),
      ...(since && list && list !== since ? [this.words.say("state.list", { at: list })] : []),
    ].join(" · ");
  }

  private cautionWords({ performance, clock }: Evening): string | undefined {
    if (!performance) return undefined;
    if (performance.cancelled) return this.words.say("caution.cancelled");
    const left = Date.parse(performance.starts_at) - clock.now().getTime();
    return left > DOORS_OPEN && this.words.day(performance.starts_at) !== this.words.day(clock.now())
      ? this.words.say("caution.later")
      : undefined;
  }

  private renderNotices(evening: Evening): void {
    const isNew = this.view.notices(
      [
        ...evening.conflicts.map((conflict) => ({
          id: conflict.scan_id,
          ...conflictWords(conflict, this.words),
        })),
        ...evening.aside.map((aside) => ({
          id: aside.scanId,
          ...asideWords(aside, evening.nameOf(aside.reference), this.words),
        })),
      ],
      this.words.say("seen"),
    );
    if (isNew) signal("look");
  }

  private renderSheets(): void {
    const evening = this.evening;
    const performance = evening?.performance;
    if (!evening || !performance) return;
    const { places, parties } = evening.noShows;
    const released = performance.released_at;
    this.view.say(
      "release-words",
      released
        ? this.words.say("release.done", { at: this.words.clock(released) })
        : evening.mayRelease
          ? this.words.say(places ? "release.ask" : "release.none", { num: places, parties })
          : this.words.say("release.from", { at: this.words.clock(evening.releaseFrom!) }),
    );
    this.view.say("release-ask", this.words.say("release.ask", { num: places, parties }));
    this.view.enable("release", evening.mayRelease && places > 0);
    this.view.enable("take-back", released !== null);
    this.view.say("device", evening.device.label);
  }

  private lastWords(last: Told): string {
    const nameless = last.kind === "not_listed" ? "not_listed" : "walk_in";
    const what = last.party?.name ?? this.words.say(nameless);
    return this.words.say("last", {
      what: `${what}, ${this.words.say("in", { num: last.people })}`,
    });
  }

  private get facing(): Facing {
    const evening = this.evening!;
    return { listedAt: evening.listedAt, free: evening.free };
  }

  private async tick(): Promise<void> {
    await this.evening?.lookAtClock();
    this.render();
  }
}

function joinTrouble(error: unknown): string {
  if (!(error instanceof Refused)) return "join.away";
  return error.kind.includes("over") ? "join.over" : "join.refused";
}

function keepLabel(label: string): void {
  try {
    localStorage.setItem(LABEL, label);
  } catch {
    // A browser that keeps nothing: it is typed again.
  }
}

function readLabel(): string {
  try {
    return localStorage.getItem(LABEL) ?? "";
  } catch {
    return "";
  }
}
