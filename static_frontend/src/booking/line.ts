/** Follows a line (azionelab/queue) while somebody waits in it.
 *
 * The state is the same for everybody and carries no cookie, so nginx answers it from its cache. The position is
 * computed here, from the place's number. What is shown only falls; a screen reader hears it once a minute.
 */

interface LineState {
  joined: number;
  let_in: number;
  drawn: boolean;
  ended: boolean;
  sold_out: boolean;
  per_minute: number;
  inside_limit: number;
  stay_minutes: number;
  names_minutes: boolean;
  slowed: boolean;
}

/** Milliseconds from an answer to the next request, while the page is seen and while it is not. */
const INTERVAL = 5_000;
const HIDDEN_INTERVAL = 20_000;
const TIMEOUT = 10_000;
/** Milliseconds between two announcements. */
const SAID_EVERY = 60_000;
/** After the lot everybody loads the page for their number: so many a second, and within a minute. */
const LOADS_A_SECOND = 150;
const LONGEST_LOAD = 60_000;

/** The most minutes that are left (`Line.minutes_at_most`). */
export function minutesAtMost(number: number, state: LineState): number {
  const ahead = number - state.let_in;
  const turns = Math.min(Math.ceil(ahead / state.inside_limit), Math.ceil(number / state.inside_limit) - 1);
  return turns * state.stay_minutes + Math.ceil(ahead / state.per_minute);
}

export function watchLine(page: Document, reload: () => void): void {
  const said = page.querySelector<HTMLElement>("[data-queue-said]");
  if (said) new Waiting(page, said, reload).ask();
}

class Waiting {
  private readonly page: Document;
  private readonly said: HTMLElement;
  private readonly reload: () => void;
  private readonly number: number;
  private saidAt = Date.now();

  constructor(page: Document, said: HTMLElement, reload: () => void) {
    this.page = page;
    this.said = said;
    this.reload = reload;
    this.number = Number(said.dataset["number"]);
  }

  ask(): void {
    setTimeout(() => void this.refresh(), this.page.hidden ? HIDDEN_INTERVAL : INTERVAL);
  }

  private async refresh(): Promise<void> {
    try {
      const response = await fetch(this.said.dataset["stateAt"]!, {
        credentials: "omit",
        signal: AbortSignal.timeout(TIMEOUT),
      });
      if (response.status === 404) return this.reload();
      if (response.ok && this.show((await response.json()) as LineState)) return;
    } catch {
      // The next time may work; the place stays in any case.
    }
    this.ask();
  }

  /** Shows the state; whether the page will be loaded again. */
  private show(state: LineState): boolean {
    const soldOut = state.sold_out !== (this.said.dataset["soldOut"] === "yes");
    const turn = this.number > 0 && this.number <= state.let_in;
    if (turn) {
      this.reload();
      return true;
    }
    if ((!this.number && state.drawn) || soldOut || state.ended) {
      const within = Math.min(LONGEST_LOAD, (1_000 * state.joined) / LOADS_A_SECOND);
      setTimeout(() => this.reload(), Math.random() * within);
      return true;
    }
    if (this.number) this.tell(state);
    return false;
  }

  private tell(state: LineState): void {
    const ahead = this.lower("[data-ahead]", this.number - state.let_in - 1);
    const minutes = this.lower("[data-minutes]", minutesAtMost(this.number, state));
    const part = this.page.querySelector<HTMLElement>("[data-minutes-part]");
    if (part) part.hidden = !state.names_minutes;
    for (const reason of this.page.querySelectorAll<HTMLElement>("[data-no-minutes]")) {
      const holds = state.slowed ? "slowed" : "scarce";
      reason.hidden = state.names_minutes || reason.dataset["noMinutes"] !== holds;
    }
    if (Date.now() - this.saidAt < SAID_EVERY) return;
    this.saidAt = Date.now();
    const words = [`${this.said.dataset["aheadWords"]}: ${ahead}.`];
    if (part && state.names_minutes) words.push(`${this.said.dataset["minutesWords"]}: ${minutes}.`);
    this.said.textContent = words.join(" ");
  }

  /** Writes a number where it is smaller than the one that is there; what is there in the end. */
  private lower(where: string, number: number): number {
    const shown = this.page.querySelector<HTMLElement>(where);
    if (!shown) return number;
    const least = Math.min(number, Number(shown.textContent));
    if (shown.textContent !== String(least)) shown.textContent = String(least);
    return least;
  }
}
