/** What the door's screen shows all the time: the evening, its counts, the network, what went wrong. */

import { asideWords, conflictWords, nameOf } from "./cards.ts";
import type { Evening, Told } from "./evening.ts";
import type { Notebook } from "./notebook.ts";
import { signal } from "./signals.ts";
import type { View } from "./view.ts";
import type { Words } from "./words.ts";

/** Milliseconds before the curtain from which a door of another day is nothing to wonder at. */
const DOORS_OPEN = 6 * 3_600_000;
/** Notices that are put away one by one; more of them, as of an evening under way, are at once, too. */
const FEW_NOTICES = 2;
const COUNTS = ["expected", "inside", "to_come", "free"] as const;

export class Board {
  private readonly view: View;
  private readonly words: Words;

  constructor(view: View, words: Words) {
    this.view = view;
    this.words = words;
  }

  /** `last`: the last people let in here, for whoever pressed Next too early. `isExit`: who is scanned goes out. */
  show(evening: Evening, last: Told | undefined, isExit: boolean): void {
    const { view, words } = this;
    const { performance, counts, device, keepsNothing } = evening.book;
    view.screen("door");
    view.allow(evening.book.rights);
    view.say("title", performance?.show_title ?? device.label);
    view.say("when", performance && words.when(performance.starts_at));
    view.mark("net", evening.sync.isAway ? "away" : "online");
    view.say("state", this.stateWords(evening));
    for (const name of COUNTS) view.count(name, counts?.[name]);
    view.count("in_building", evening.book.inBuilding);
    view.say("known", this.knownWords(evening.book));
    this.showInterval(evening.book, isExit);
    view.show("outdated", evening.isOutdated);
    view.say("keeps-nothing", keepsNothing ? words.say("keeps.nothing") : undefined);
    view.say("caution", this.cautionWords(evening.book));
    view.say("clock", evening.sync.isAway ? this.clockWords(evening.book) : undefined);
    view.show("over", evening.sync.isAway && evening.book.mayBeOver);
    view.say("last-words", last && this.lastWords(last));
    view.show("last", last !== undefined);
    this.showNotices(evening.book);
    this.showPlaces(evening.book);
  }

  /** The evening is over here, or this phone is out of it: no name stays, not even where none is seen. */
  showEnd({ ended, waiting, device }: Notebook): void {
    const { view, words } = this;
    const num = waiting.length;
    // Whoever ended it may have done so before it was over.
    const why = device.isLeaving ? "left" : ended!;
    view.say("ended-title", words.say(`ended.${why}`));
    view.say("ended-detail", words.say(`ended.${why}.detail`));
    view.say("ended-waiting", num ? words.say("forget.waiting", { num }) : undefined);
    view.show("forget", num > 0);
    view.say("last-words", undefined);
    view.notices([], "");
    view.screen("ended");
  }

  private stateWords({ awaySince, book: { waiting, listedAt } }: Evening): string {
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

  /** Who is out, whether people may go out, and which way they go whose tickets are scanned. */
  private showInterval({ counts, reentry = false, outsideWithoutTicket }: Notebook, isExit: boolean): void {
    const { view, words } = this;
    const num = counts?.outside ?? 0;
    view.say("outside", num > 0 ? words.say("building.outside", { num }) : undefined);
    view.show("ways", reentry);
    view.mark("way", isExit ? "out" : "in");
    view.press("entrance", !isExit);
    view.press("exit", isExit);
    view.say("exit", isExit ? words.say("exit.on") : undefined);
    view.show("passages", reentry || outsideWithoutTicket > 0);
    view.enable("walk-out", reentry);
  }

  /** When everybody in the building was last surely known: with the day, if that was another one. */
  private knownWords({ knownAt, clock }: Notebook): string | undefined {
    if (knownAt === undefined) return undefined;
    const isToday = this.words.day(knownAt) === this.words.day(clock.now());
    const at = isToday ? this.words.clock(knownAt) : this.words.when(knownAt);
    return this.words.say("building.known", { at });
  }

  private cautionWords({ performance, clock }: Notebook): string | undefined {
    if (!performance) return undefined;
    if (performance.cancelled) return this.words.say("caution.cancelled");
    const left = Date.parse(performance.starts_at) - clock.now().getTime();
    const isToday = this.words.day(performance.starts_at) === this.words.day(clock.now());
    return left > DOORS_OPEN && !isToday ? this.words.say("caution.later") : undefined;
  }

  /** With a network it does not matter: the server tells the time. */
  private clockWords({ clock }: Notebook): string | undefined {
    const [now, says] = [clock.now(), new Date()];
    return clock.hasJumped
      ? this.words.say("clock.jumped", { at: this.words.clock(now), says: this.words.when(says) })
      : undefined;
  }

  private lastWords(last: Told): string {
    const nameless = last.kind === "not_listed" ? "not_listed" : "walk_in";
    const who = last.party ? nameOf(last.party) : this.words.say(nameless);
    const way = { let_out: "out", in_again: "in_again" }[last.kind as string] ?? "in";
    const what = `${who}, ${this.words.say(way, { num: last.people })}`;
    return this.words.say("last", { what });
  }

  private showNotices({ conflicts, aside, house }: Notebook): void {
    const { words } = this;
    this.view.show("all-seen", conflicts.length + aside.length > FEW_NOTICES);
    const isNew = this.view.notices(
      [
        ...conflicts.map((one) => ({ id: one.scan_id, ...conflictWords(one, words) })),
        ...aside.map((one) => {
          const name = one.reference ? house.listed(one.reference)?.name : undefined;
          return { id: one.scanId, ...asideWords(one, name, words) };
        }),
      ],
      words.say("seen"),
    );
    if (isNew) signal("look");
  }

  /** The sheet that releases places and takes them back. */
  private showPlaces({ performance, mayRelease, house, noShows, free, silent, device }: Notebook): void {
    if (!performance) return;
    const { view, words } = this;
    const { places: num, parties, late: { places: late, parties: lateParties } } = noShows;
    const ask = words.say("release.ask", { num, parties });
    const kept = late > 0 ? words.say("release.late", { num: late, parties: lateParties }) : undefined;
    const { released_at: released, release_from: from } = performance;
    const asked = mayRelease
      ? num > 0 ? ask : (kept ?? words.say("release.none"))
      : words.say("release.from", { at: words.clock(from) });
    // What is taken back is held again as far as nobody took it.
    const again = Math.min(house.released, Math.max(0, free));
    const left = { num: house.released, again };
    const done = released && [
      words.say("release.done", { at: words.clock(released) }),
      words.say("release.left", left),
    ];
    view.say("release-words", done ? done.join(" ") : asked);
    view.say("release-ask", num > 0 || !kept ? ask : undefined);
    const phones = silent.join(", ");
    view.say("release-silent", phones ? words.say("release.silent", { phones }) : undefined);
    view.say("release-late-words", kept);
    view.show("release-late", late > 0);
    view.enable("release", mayRelease && num + late > 0);
    view.enable("take-back", released !== null && (again > 0 || house.released === 0));
    view.say("device", device.label);
  }
}
