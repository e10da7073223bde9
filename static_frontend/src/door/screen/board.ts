/** The permanent part of the screen: performance, counts, network state, notices. */

import { nameOf } from "./cards.ts";
import { discrepancyText, conflictText } from "./notice-texts.ts";
import type { ScanResult } from "../rules/scan-result.ts";
import type { DoorSession } from "../sync/session.ts";
import type { DoorState } from "../sync/door-state.ts";
import { signal } from "./signals.ts";
import type { View } from "./view.ts";
import type { Texts } from "./texts.ts";

/** Milliseconds before the curtain from which on no warning about another day is shown. */
const DOORS_OPEN = 6 * 3_600_000;
/** With more notices than this there is a button to dismiss all of them. */
const FEW_NOTICES = 2;
const COUNTS = ["expected", "inside", "to_come", "free"] as const;

export class Board {
  private readonly view: View;
  private readonly texts: Texts;

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** `last`: the last admission, so that it can still be undone. `isExit`: scans let people out. */
  show(session: DoorSession, last: ScanResult | undefined, isExit: boolean): void {
    const { view, texts } = this;
    const { performance, counts, device, cannotStore } = session.state;
    view.screen("door");
    view.allow(session.state.rights);
    view.setText("title", performance?.show_title ?? device.label);
    view.setText("when", performance && texts.when(performance.starts_at));
    view.mark("net", session.sync.isAway ? "away" : "online");
    view.setText("state", this.stateText(session));
    for (const name of COUNTS) view.count(name, counts?.[name]);
    view.count("in_building", session.state.inBuilding);
    view.setText("known", this.knownText(session.state));
    this.showInterval(session.state, isExit);
    view.show("outdated", session.isOutdated);
    view.setText("keeps-nothing", cannotStore ? texts.get("keeps.nothing") : undefined);
    view.setText("caution", this.cautionText(session.state));
    view.setText("clock", session.sync.isAway ? this.clockText(session.state) : undefined);
    view.show("over", session.sync.isAway && session.state.mayBeOver);
    view.setText("last-words", last && this.lastText(last));
    view.show("last", last !== undefined);
    view.setText("near", this.nearText(session.state));
    this.showNotices(session.state);
    this.showRelease(session.state);
  }

  /** Show that the session has ended; remove all names, also hidden ones. */
  showEnd({ ended, waiting, device }: DoorState): void {
    const { view, texts } = this;
    const num = waiting.length;
    // If the user ended it, the performance may not be over.
    const why = device.isLeaving ? "left" : ended!;
    view.setText("ended-title", texts.get(`ended.${why}`));
    view.setText("ended-detail", texts.get(`ended.${why}.detail`));
    view.setText("ended-waiting", num ? texts.get("forget.waiting", { num }) : undefined);
    view.show("forget", num > 0);
    view.setText("last-words", undefined);
    view.notices([], "");
    view.screen("ended");
  }

  private stateText({ awaySince, state: { waiting, listedAt } }: DoorSession): string {
    const since = awaySince && this.texts.clock(awaySince);
    const list = listedAt && this.texts.clock(listedAt);
    return [
      since
        ? this.texts.get("state.away", { at: since })
        : this.texts.get(list ? "state.online" : "state.starting"),
      ...(waiting.length > 0 ? [this.texts.get("state.waiting", { num: waiting.length })] : []),
      ...(since && list && list !== since ? [this.texts.get("state.list", { at: list })] : []),
    ].join(" · ");
  }

  /** Show people who are out, whether re-entry is allowed, and the direction of scans. */
  private showInterval({ counts, reentry = false, outsideWithoutTicket }: DoorState, isExit: boolean): void {
    const { view, texts } = this;
    const num = counts?.outside ?? 0;
    view.setText("outside", num > 0 ? texts.get("building.outside", { num }) : undefined);
    view.show("ways", reentry);
    view.mark("way", isExit ? "out" : "in");
    view.press("entrance", !isExit);
    view.press("exit", isExit);
    view.setText("exit", isExit ? texts.get("exit.on") : undefined);
    view.show("passages", reentry || outsideWithoutTicket > 0);
    view.enable("walk-out", reentry);
  }

  /** When the number of people in the building was last certain, with the day unless it is today. */
  private knownText({ knownAt, clock }: DoorState): string | undefined {
    if (knownAt === undefined) return undefined;
    const isToday = this.texts.day(knownAt) === this.texts.day(clock.now());
    const at = isToday ? this.texts.clock(knownAt) : this.texts.when(knownAt);
    return this.texts.get("building.known", { at });
  }

  /** Who waits near the theatre, and the seats on offer to them. */
  private nearText({ counts }: DoorState): string | undefined {
    const { near_parties: parties = 0, near_people: num = 0, on_offer = 0, on_offer_until: until } = counts ?? {};
    const told = [
      ...(parties > 0 ? [this.texts.get("near.waiting", { num, parties })] : []),
      ...(until ? [this.texts.get("near.on_offer", { num: on_offer, at: this.texts.clock(until) })] : []),
    ];
    return told.length > 0 ? told.join(" ") : undefined;
  }

  private cautionText({ performance, clock }: DoorState): string | undefined {
    if (!performance) return undefined;
    if (performance.cancelled) return this.texts.get("caution.cancelled");
    const left = Date.parse(performance.starts_at) - clock.now().getTime();
    const isToday = this.texts.day(performance.starts_at) === this.texts.day(clock.now());
    return left > DOORS_OPEN && !isToday ? this.texts.get("caution.later") : undefined;
  }

  /** A warning about a jump of the phone's clock; needed offline only. */
  private clockText({ clock }: DoorState): string | undefined {
    const [now, says] = [clock.now(), new Date()];
    return clock.hasJumped
      ? this.texts.get("clock.jumped", { at: this.texts.clock(now), says: this.texts.when(says) })
      : undefined;
  }

  private lastText(last: ScanResult): string {
    const nameless = last.kind === "not_listed" ? "not_listed" : "walk_in";
    const who = last.party ? nameOf(last.party) : this.texts.get(nameless);
    const way = { let_out: "out", in_again: "in_again" }[last.kind as string] ?? "in";
    const what = `${who}, ${this.texts.get(way, { num: last.people })}`;
    return this.texts.get("last", { what });
  }

  private showNotices({ conflicts, aside, parties: partyList }: DoorState): void {
    const { texts } = this;
    this.view.show("all-seen", conflicts.length + aside.length > FEW_NOTICES);
    const isNew = this.view.notices(
      [
        ...conflicts.map((one) => ({ id: one.scan_id, ...conflictText(one, texts) })),
        ...aside.map((one) => {
          const name = one.reference ? partyList.listed(one.reference)?.name : undefined;
          return { id: one.scanId, ...discrepancyText(one, name, texts) };
        }),
      ],
      texts.get("seen"),
    );
    if (isNew) signal("look");
  }

  /** The sheet to release and restore seats. */
  private showRelease(state: DoorState): void {
    const { performance, mayRelease, parties: partyList, noShows, free, silent, device } = state;
    if (!performance) return;
    const { view, texts } = this;
    const { places: num, parties, late: { places: late, parties: lateParties, until } } = noShows;
    const ask = texts.get("release.ask", { num, parties });
    const keptUntil =
      until !== undefined && Number.isFinite(until)
        ? [texts.get("release.late_until", { at: texts.clock(new Date(until)) })]
        : [];
    const kept =
      late > 0 ? [texts.get("release.late", { num: late, parties: lateParties }), ...keptUntil].join(" ") : undefined;
    const { released_at: released, release_from: from } = performance;
    const asked = mayRelease
      ? num > 0 ? ask : (kept ?? texts.get("release.none"))
      : texts.get("release.from", { at: texts.clock(from) });
    // Only seats that are still free can be restored.
    const again = Math.min(partyList.released, Math.max(0, free));
    const left = { num: partyList.released, again };
    const done = released && [
      texts.get("release.done", { at: texts.clock(released) }),
      texts.get("release.left", left),
    ];
    view.setText("release-words", done ? done.join(" ") : asked);
    view.setText("release-ask", num > 0 || !kept ? ask : undefined);
    const phones = silent.join(", ");
    view.setText("release-near", this.nearText(state));
    view.setText("release-silent", phones ? texts.get("release.silent", { phones }) : undefined);
    view.setText("release-late-words", kept);
    view.show("release-late", late > 0);
    view.enable("release", mayRelease && num + late > 0);
    view.enable("take-back", released !== null && (again > 0 || partyList.released === 0));
    view.setText("device", device.label);
  }
}
