/** The part of the "more" sheet that releases the seats of no-shows and takes that back. */

import type { ReleaseResult } from "../sync/protocol.ts";
import { Refused, Unreachable } from "../sync/server.ts";
import type { DoorSession } from "../sync/session.ts";
import type { Texts } from "./texts.ts";
import type { View } from "./view.ts";

export class SeatRelease {
  private readonly view: View;
  private readonly texts: Texts;
  private readonly openSheet: () => void;

  constructor(view: View, texts: Texts, openSheet: () => void) {
    this.view = view;
    this.texts = texts;
    this.openSheet = openSheet;
  }

  async release(session: DoorSession | undefined): Promise<void> {
    await this.change(async () => session && this.releasedText(await session.release(this.view.takeTick("with-late"))));
  }

  async restore(session: DoorSession | undefined): Promise<void> {
    await this.change(async () => session && this.restoredText(await session.restore()));
  }

  /** Run `work` and show the text that it returns, or the error, in the sheet. */
  private async change(work: () => Promise<string | undefined>): Promise<void> {
    let [done, trouble]: (string | undefined)[] = [];
    try {
      done = await work();
    } catch (error) {
      if (error instanceof Unreachable) trouble = this.texts.get("release.offline");
      else if (error instanceof Refused) trouble = error.message;
      else throw error;
    }
    this.openSheet();
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
}
