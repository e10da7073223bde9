/** The server's time, on a phone whose own clock may be wrong, be put right, or jump (docs/door-app.md).
 *
 * What the server said last is carried on by the browser's monotonic clock, which nobody can set. It stands
 * still while a phone sleeps or is off; of that time only the phone's own clock tells, and nobody knows whether
 * somebody has set it meanwhile. So there are two answers: what time it is as far as this phone can tell, and
 * what time it is at least, by which alone an evening ends.
 */

/** Milliseconds by which a phone's two clocks may differ, as by their rounding and small corrections. */
const SLIP = 2_000;
/** Milliseconds from which on it is told that the phone's clock jumped. */
const JUMP = 60_000;

/** What is kept of the time for the next start. */
export interface StoredTime {
  /** Milliseconds that the phone's own clock is behind the server's. */
  readonly behind: number;
  /** It was at least so late (milliseconds since 1970) when this was kept. */
  readonly known?: number;
  /** Milliseconds by which the phone's clock jumped since the server's last word. */
  readonly jump?: number;
}

export class Clock {
  /** When the evening ends: nobody sleeps through that unasked, or a clock put right would end it. */
  until: number;
  private isSeen = !document.hidden;
  /** The least time it can be, at the last look. */
  private atLeast: number;
  private slept = 0;
  private jump: number;
  /** The monotonic clock at the last look, and what the phone's own should have said then. */
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

  /** What time it is, as far as this phone can tell. */
  now(): Date {
    this.update();
    return new Date(this.atLeast + this.slept);
  }

  /** Whether that moment has come, whatever happened to the phone's clock. */
  isSurelyPast(moment: string): boolean {
    this.update();
    return this.atLeast > Date.parse(moment);
  }

  /** Whether it has come by the most that the phone's clock can mean. */
  mayBePast(moment: string): boolean {
    this.update();
    return this.atLeast + this.slept + Math.max(0, this.jump) > Date.parse(moment);
  }

  /** The phone's clock does not say what it should by the server's last word. */
  get hasJumped(): boolean {
    this.update();
    return Math.abs(this.jump) >= JUMP;
  }

  /** For the next start of the page. */
  get stored(): StoredTime {
    const behind = Math.round(this.now().getTime() - Date.now());
    const known = Math.round(this.atLeast);
    return { behind, known, jump: Math.round(this.jump) };
  }

  /** Whether somebody looks at the page: a phone that nobody looks at may sleep. */
  setVisible(isSeen: boolean): void {
    this.update();
    this.isSeen = isSeen;
  }

  /** Learn from an answer: it was written between the question and its arrival (by `performance.now()`). */
  correct(serverTime: string, asked: number, arrived: number): void {
    const said = Date.parse(serverTime);
    // A clock that shows nothing would stop everything that asks it.
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

  /** The phone's clock is `off`: it went on while the page stood still, or it was set. */
  private attribute(off: number, mayHaveSlept: boolean): void {
    const isInTime = this.atLeast + this.slept + off <= this.until;
    if (off > 0 && mayHaveSlept && isInTime) this.slept += off;
    else if (Math.abs(off) > SLIP) this.jump += off;
  }
}
