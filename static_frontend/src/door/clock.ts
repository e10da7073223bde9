/** The server's time, on a phone whose own clock may be wrong. */

export class Clock {
  /** Milliseconds that this phone is behind. */
  behind: number;

  constructor(behind = 0) {
    this.behind = behind;
  }

  now(): Date {
    return new Date(Date.now() + this.behind);
  }

  /** Learn from an answer: it was written somewhere between the question and its arrival. */
  correct(serverTime: string, asked: number, arrived: number): void {
    const behind = Date.parse(serverTime) - (asked + arrived) / 2;
    // A clock that shows nothing would stop everything that asks it.
    if (!Number.isNaN(behind)) this.behind = behind;
  }
}
