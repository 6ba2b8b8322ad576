import type { CopiedValue } from '../../postgres/copy/binary-rows.ts';
import type { ResolvedConfig } from './resolve-config.ts';

/** Counts the different keys that facts name, as the server would. Holds each of them. */
export class CandidateCounter {
  readonly #keys: readonly { indexes: readonly number[]; found: Set<string> }[];

  constructor({ targets, columns }: ResolvedConfig) {
    this.#keys = targets.map(({ key }) => ({
      indexes: key.map(({ staged }) => columns.indexOf(staged)),
      found: new Set(),
    }));
  }

  /** How many keys there were so far, for each target. */
  get counts(): number[] {
    return this.#keys.map(({ found }) => found.size);
  }

  /** Takes note of the values of a fact. */
  add(values: readonly CopiedValue[]): void {
    for (const { indexes, found } of this.#keys) {
      const key = indexes.map((index) => values[index] ?? null);
      // No text holds the separator.
      if (!key.includes(null)) found.add(key.map(String).join('\0'));
    }
  }
}
