/** Becoming a door device by an invitation, which came in the address and leaves it with the answer. */

import { storeItem, readItem } from "../sync/local-storage.ts";
import { keepPass } from "./passes.ts";
import { rightsOf } from "../rules/rights.ts";
import { enrol, readInvitation, Refused, type Enrolled } from "../sync/server.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

const INVITATION = /^#join=(.+)$/;
const LABEL = "azionelab.door";
/** Names this phone's enrolment until its answer came. */
const KEY = "azionelab.door.joining";

export class Enrolment {
  private readonly view: View;
  private readonly texts: Texts;
  /** It was said that something may be lost. */
  isWarned = false;
  private isBusy = false;
  private key: string | undefined;

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** Whether the page was opened with an invitation. */
  get hasInvitation(): boolean {
    return INVITATION.test(location.hash);
  }

  /** Ask for the phone's name; `now` is the evening whose door it is already. */
  ask(now: string | undefined): void {
    this.label.value = readItem(LABEL) || this.label.value;
    this.isWarned = false;
    this.showTrouble(undefined);
    this.view.setText("join-sent", undefined);
    this.view.setText("join-now", now && this.texts.get("join.now", { evening: now }));
    this.view.setText("join-evening", undefined);
    this.view.allow(rightsOf({}));
    this.view.screen("join");
    this.label.select();
    void this.showPerformance();
  }

  /** So many scans of before could not be sent, and would be lost with another evening. */
  warn(num: number): void {
    this.isWarned = true;
    this.showTrouble(this.texts.get("join.waiting", { num }));
  }

  sent(num: number): void {
    this.showTrouble(undefined);
    this.view.setText("join-sent", this.texts.get("join.sent", { num }));
  }

  /** Say yes; undefined when the server does not, which is told. */
  async accept(): Promise<Enrolled | undefined> {
    const { invitation } = this;
    const label = this.label.value.trim();
    // Spaces are no name: the field says so by itself once they are gone.
    this.label.value = label;
    if (!invitation || this.isBusy || !this.label.reportValidity()) return undefined;
    this.isBusy = true;
    try {
      const { requestKey: knownKey } = this;
      // Before it is sent: the page may be killed before the answer comes, and opened anew by the same code.
      storeItem(KEY, knownKey);
      const enrolled = await enrol(decodeURIComponent(invitation), label, knownKey);
      storeItem(LABEL, label);
      keepPass(enrolled.pass);
      this.forgetKey();
      this.forget();
      return enrolled;
    } catch (error) {
      this.showTrouble(this.texts.get(troubleOf(error)));
      return undefined;
    } finally {
      this.isBusy = false;
    }
  }

  /** By which the server knows this phone's enrolment again, until the answer to it came. */
  private get requestKey(): string {
    this.key ??= readItem(KEY) || crypto.randomUUID();
    return this.key;
  }

  /** It is this device's, and no other one's. */
  private forgetKey(): void {
    this.key = undefined;
    storeItem(KEY, "");
  }

  /** The invitation must not stand in the browser's history. */
  forget(): void {
    history.replaceState(null, "", location.pathname);
  }

  /** Say which evening it is about, or that there is none: before somebody says yes. */
  private async showPerformance(): Promise<void> {
    const { invitation } = this;
    if (!invitation) return;
    const texts = await this.performanceText(invitation);
    if (this.invitation === invitation) this.view.setText("join-evening", texts);
  }

  private async performanceText(invitation: string): Promise<string | undefined> {
    try {
      const evening = await readInvitation(decodeURIComponent(invitation), this.requestKey);
      if (this.invitation === invitation) this.view.allow(rightsOf(evening));
      return [evening.show_title, this.texts.when(evening.starts_at), evening.venue_name].join(", ");
    } catch (error) {
      // A server of before does not tell, and one that is away may be back when somebody says yes.
      const isTold = error instanceof URIError || (error instanceof Refused && error.kind !== "");
      return isTold ? this.texts.get(troubleOf(error)) : undefined;
    }
  }

  private get invitation(): string | undefined {
    return INVITATION.exec(location.hash)?.[1];
  }

  private showTrouble(texts: string | undefined): void {
    this.view.setText("join-trouble", texts);
  }

  private get label(): HTMLInputElement {
    return this.view.find("#label");
  }
}

function troubleOf(error: unknown): string {
  // What stands behind the # is not even an escaped text.
  if (error instanceof URIError) return "join.refused";
  if (!(error instanceof Refused)) return "join.away";
  return error.kind === "invitation-over" ? "join.over" : "join.refused";
}
