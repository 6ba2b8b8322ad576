/**
 * Numbers that look random and are the same at every run with the same seed. Small and short-lived on purpose: the demo alone
 * uses it, and a library would go to every service that installs this package.
 */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** Evenly between 0 and 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** Around `mean`, within 0 and 1, to three digits. */
  rate(mean: number, spread: number): number {
    const bell = this.next() + this.next() + this.next() - 1.5;
    return Number(Math.min(1, Math.max(0, mean + bell * spread)).toFixed(3));
  }

  /** One of `choices`, by their weights. */
  pick<Choices extends readonly (readonly [weight: number, choice: unknown])[]>(
    choices: Choices,
  ): Choices[number][1] {
    let left = this.next() * choices.reduce((sum, [weight]) => sum + weight, 0);
    const chosen = choices.find(([weight]) => (left -= weight) <= 0) ?? choices.at(-1);
    if (!chosen) throw new RangeError('nothing to pick from');
    return chosen[1];
  }
}
