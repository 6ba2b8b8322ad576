import type { CopiedValue } from '../../postgres/copy/binary-rows.ts';
import type { ResolvedConfig } from './resolve-config.ts';

/** Counts the distinct parents that facts name, as PostgreSQL would. Holds every key in memory. */
export class CandidateCounter {
  readonly #keys: readonly { indexes: readonly number[]; found: Set<string> }[];

  constructor({ targets, columns }: ResolvedConfig) {
    this.#keys = targets.map(({ key }) => ({
      indexes: key.map(({ staged }) => columns.indexOf(staged)),
      found: new Set(),
    }));
  }

  /** The number of distinct keys so far, for each target. */
  get counts(): number[] {
    return this.#keys.map(({ found }) => found.size);
  }

  /** Adds the values of a fact. */
  add(values: readonly CopiedValue[]): void {
    for (const { indexes, found } of this.#keys) {
      const key = indexes.map((index) => values[index] ?? null);
      // PostgreSQL's text can't hold the separator.
      if (!key.includes(null)) found.add(key.map(String).join('\0'));
    }
  }
}
