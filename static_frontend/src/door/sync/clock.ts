/** The server's time on a phone whose clock may be wrong, corrected, or jump (docs/door-app.md).
 *
 * The server's last time is continued by the browser's monotonic clock, which nobody can set. That clock stops
 * while a phone sleeps or is off: then only the phone's own clock counts, which may have been set meanwhile. So
 * there are two times: the best estimate, and the least possible time. Only the latter ends a session.
 */

/** Milliseconds by which the two clocks may differ through rounding and small corrections. */
const SLIP = 2_000;
/** Milliseconds from which on a jump of the phone's clock is reported. */
const JUMP = 60_000;

/** The time as stored for the next start. */
export interface StoredTime {
  /** Milliseconds that the phone's clock is behind the server's. */
  readonly behind: number;
  /** The least possible time when this was stored (milliseconds since 1970). */
  readonly known?: number;
  /** Milliseconds by which the phone's clock has jumped since the last sync. */
  readonly jump?: number;
}

export class Clock {
  /** The end of the performance. Sleep beyond it is not believed, so that a corrected clock does not end the session. */
  until: number;
  private isSeen = !document.hidden;
  /** The least possible time at the last update. */
  private atLeast: number;
  private slept = 0;
  private jump: number;
  /** The monotonic clock at the last update, and what the phone's clock should have shown then. */
  private ticks: number;
  private expected: number;

  constructor({ behind, known, jump = 0 }: StoredTime = { behind: 0 }, until = Infinity) {
    this.until = until;
    this.ticks = performance.now();
    this.expected = Date.now();
    const says = this.expected + behind;
    this.atLeast = known ?? says;
    this.jump = jump;
    this.attribute(says - this.atLeast, true);
  }

  /** The best estimate of the time. */
  now(): Date {
    this.update();
    return new Date(this.atLeast + this.slept);
  }

  /** Whether the moment has passed by the least possible time. */
  isSurelyPast(moment: string): boolean {
    this.update();
    return this.atLeast > Date.parse(moment);
  }

  /** Whether the moment has passed by the latest possible time. */
  mayBePast(moment: string): boolean {
    this.update();
    return this.atLeast + this.slept + Math.max(0, this.jump) > Date.parse(moment);
  }

  /** Whether the phone's clock has jumped since the last sync. */
  get hasJumped(): boolean {
    this.update();
    return Math.abs(this.jump) >= JUMP;
  }

  /** The time to store for the next start. */
  get stored(): StoredTime {
    const behind = Math.round(this.now().getTime() - Date.now());
    const known = Math.round(this.atLeast);
    return { behind, known, jump: Math.round(this.jump) };
  }

  /** Note whether the page is visible: a phone with a hidden page may sleep. */
  setVisible(isSeen: boolean): void {
    this.update();
    this.isSeen = isSeen;
  }

  /** Set the time by a response; `asked` and `arrived` are by `performance.now()`. */
  correct(serverTime: string, asked: number, arrived: number): void {
    const said = Date.parse(serverTime);
    // An invalid time would break everything that uses the clock.
    if (Number.isNaN(said)) return;
    this.ticks = performance.now();
    this.expected = Date.now();
    this.atLeast = said + this.ticks - (asked + arrived) / 2;
    this.slept = this.jump = 0;
  }

  private update(): void {
    const ticks = performance.now();
    const passed = ticks - this.ticks;
    this.ticks = ticks;
    this.atLeast += passed;
    this.expected += passed;
    const off = Date.now() - this.expected;
    if (Math.abs(off) <= SLIP) return;
    this.expected += off;
    this.attribute(off, !this.isSeen);
  }

  /** The phone's clock is ahead by `off`: the phone slept, or the clock was set. */
  private attribute(off: number, mayHaveSlept: boolean): void {
    const isInTime = this.atLeast + this.slept + off <= this.until;
    if (off > 0 && mayHaveSlept && isInTime) this.slept += off;
    else if (Math.abs(off) > SLIP) this.jump += off;
  }
}
