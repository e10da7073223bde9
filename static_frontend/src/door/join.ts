/** Becoming a door device by an invitation, which came in the address and leaves it with the answer. */

import { keep, readKept } from "./kept.ts";
import { keepPass } from "./passes.ts";
import { rightsOf } from "./rights.ts";
import { enrol, readInvitation, Refused, type Enrolled } from "./server.ts";
import type { View } from "./view.ts";
import type { Words } from "./words.ts";

const INVITATION = /^#join=(.+)$/;
const LABEL = "azionelab.door";
/** Names this phone's enrolment until its answer came. */
const KEY = "azionelab.door.joining";

export class Join {
  private readonly view: View;
  private readonly words: Words;
  /** It was said that something may be lost. */
  isWarned = false;
  private isBusy = false;
  private key: string | undefined;

  constructor(view: View, words: Words) {
    this.view = view;
    this.words = words;
  }

  /** Whether the page was opened with an invitation. */
  get isAsked(): boolean {
    return INVITATION.test(location.hash);
  }

  /** Ask for the phone's name; `now` is the evening whose door it is already. */
  ask(now: string | undefined): void {
    this.label.value = readKept(LABEL) || this.label.value;
    this.isWarned = false;
    this.sayTrouble(undefined);
    this.view.say("join-sent", undefined);
    this.view.say("join-now", now && this.words.say("join.now", { evening: now }));
    this.view.say("join-evening", undefined);
    this.view.allow(rightsOf({}));
    this.view.screen("join");
    this.label.select();
    void this.tellEvening();
  }

  /** So many scans of before could not be sent, and would be lost with another evening. */
  warn(num: number): void {
    this.isWarned = true;
    this.sayTrouble(this.words.say("join.waiting", { num }));
  }

  sent(num: number): void {
    this.sayTrouble(undefined);
    this.view.say("join-sent", this.words.say("join.sent", { num }));
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
      const { knownKey } = this;
      // Before it is sent: the page may be killed before the answer comes, and opened anew by the same code.
      keep(KEY, knownKey);
      const enrolled = await enrol(decodeURIComponent(invitation), label, knownKey);
      keep(LABEL, label);
      keepPass(enrolled.pass);
      this.forgetKey();
      this.forget();
      return enrolled;
    } catch (error) {
      this.sayTrouble(this.words.say(troubleOf(error)));
      return undefined;
    } finally {
      this.isBusy = false;
    }
  }

  /** By which the server knows this phone's enrolment again, until the answer to it came. */
  private get knownKey(): string {
    this.key ??= readKept(KEY) || crypto.randomUUID();
    return this.key;
  }

  /** It is this device's, and no other one's. */
  private forgetKey(): void {
    this.key = undefined;
    keep(KEY, "");
  }

  /** The invitation must not stand in the browser's history. */
  forget(): void {
    history.replaceState(null, "", location.pathname);
  }

  /** Say which evening it is about, or that there is none: before somebody says yes. */
  private async tellEvening(): Promise<void> {
    const { invitation } = this;
    if (!invitation) return;
    const words = await this.eveningWords(invitation);
    if (this.invitation === invitation) this.view.say("join-evening", words);
  }

  private async eveningWords(invitation: string): Promise<string | undefined> {
    try {
      const evening = await readInvitation(decodeURIComponent(invitation), this.knownKey);
      if (this.invitation === invitation) this.view.allow(rightsOf(evening));
      return [evening.show_title, this.words.when(evening.starts_at), evening.venue_name].join(", ");
    } catch (error) {
      // A server of before does not tell, and one that is away may be back when somebody says yes.
      const isTold = error instanceof URIError || (error instanceof Refused && error.kind !== "");
      return isTold ? this.words.say(troubleOf(error)) : undefined;
    }
  }

  private get invitation(): string | undefined {
    return INVITATION.exec(location.hash)?.[1];
  }

  private sayTrouble(words: string | undefined): void {
    this.view.say("join-trouble", words);
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
