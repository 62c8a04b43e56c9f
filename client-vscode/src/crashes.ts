// When a server that ended by itself is worth another try.

const PATIENCE_MS = 180_000;
const TRIES = 4;

export class Crashes {
  private times: number[] = [];

  /** Notes that the server has ended; false when it did so too often of late. */
  isWorthAnotherTry(now: number): boolean {
    this.times = [...this.times.filter((time) => now - time < PATIENCE_MS), now];
    return this.times.length <= TRIES;
  }

  /** Begins anew, as somebody asked for it. */
  forget(): void {
    this.times = [];
  }
}
