/** Enrols this phone by the invitation in the address's fragment, which is removed afterwards. */

import { storeItem, readItem } from "../sync/local-storage.ts";
import { keepPass } from "./passes.ts";
import { rightsOf } from "../rules/rights.ts";
import type { Enrolled } from "../sync/protocol.ts";
import { enrol, readInvitation, Refused } from "../sync/server.ts";
import type { View } from "../screen/view.ts";
import type { Texts } from "../screen/texts.ts";

const INVITATION = /^#join=(.+)$/;
const LABEL = "azionelab.door";
/** The idempotency key of an enrolment that has not been answered. */
const KEY = "azionelab.door.joining";

export class Enrolment {
  private readonly view: View;
  private readonly texts: Texts;
  /** The user has been warned that queued actions may be lost. */
  isWarned = false;
  private isBusy = false;
  private key: string | undefined;

  constructor(view: View, texts: Texts) {
    this.view = view;
    this.texts = texts;
  }

  /** Whether the address has an invitation. */
  get hasInvitation(): boolean {
    return INVITATION.test(location.hash);
  }

  /** Ask for the phone's name; `now` describes the performance that it is enrolled for already. */
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

  /** Warn that `num` queued scans could not be sent, and are lost if this is another performance. */
  warn(num: number): void {
    this.isWarned = true;
    this.showTrouble(this.texts.get("join.waiting", { num }));
  }

  sent(num: number): void {
    this.showTrouble(undefined);
    this.view.setText("join-sent", this.texts.get("join.sent", { num }));
  }

  /** Enrol; undefined if that fails, after showing why. */
  async accept(): Promise<Enrolled | undefined> {
    const { invitation } = this;
    const label = this.label.value.trim();
    // Without its spaces an empty name fails the field's own validation.
    this.label.value = label;
    if (!invitation || this.isBusy || !this.label.reportValidity()) return undefined;
    this.isBusy = true;
    try {
      const { requestKey: knownKey } = this;
      // Store the key before sending: the page may be killed before the answer, and opened again by the same QR.
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

  /** The key by which the server recognises a repeated enrolment. */
  private get requestKey(): string {
    this.key ??= readItem(KEY) || crypto.randomUUID();
    return this.key;
  }

  /** Drop the key: the next enrolment is another device. */
  private forgetKey(): void {
    this.key = undefined;
    storeItem(KEY, "");
  }

  /** Remove the invitation from the address and the browser's history. */
  forget(): void {
    history.replaceState(null, "", location.pathname);
  }

  /** Show the performance of the invitation, or why it is not valid, before the user accepts. */
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
      // An older server has no answer, and an unreachable one may be back when the user accepts: show nothing.
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
  // The fragment is not valid percent-encoding.
  if (error instanceof URIError) return "join.refused";
  if (!(error instanceof Refused)) return "join.away";
  return error.kind === "invitation-over" ? "join.over" : "join.refused";
}
