import type { Cells } from './stored-rows.ts';

/** The acknowledged writes of steps, by cell. */
export class Effects {
  readonly #written = new Map<string, unknown>();
  /** Cells of steps that were refused after a part that is kept. */
  readonly #uncertain = new Map<string, unknown>();
  /** Rows that were changed in memory, and rows that were changed bypassing their entities. */
  readonly #edited = new Set<number>();
  readonly #bypassed = new Set<number>();

  write(cell: string, value: unknown): void {
    this.#written.set(cell, value);
  }

  mayWrite(cell: string, value: unknown): void {
    this.#uncertain.set(cell, value);
  }

  edit(row: number): void {
    this.#edited.add(row);
  }

  bypass(row: number): void {
    this.#bypassed.add(row);
  }

  /** Adds the writes of an inner unit. */
  add(others: Effects): void {
    for (const [cell, value] of others.#written) this.write(cell, value);
    for (const [cell, value] of others.#uncertain) this.mayWrite(cell, value);
    for (const row of others.#edited) this.edit(row);
    for (const row of others.#bypassed) this.bypass(row);
  }

  /** Whether a row was changed both in memory and bypassing its entity, so that a flush may be refused. */
  get canContend(): boolean {
    return [...this.#edited].some((row) => this.#bypassed.has(row));
  }

  /** Returns the cells with a wrong value after these effects on `before`. */
  misses(before: Cells, after: Cells): string[] {
    const cells = new Set([...before.keys(), ...after.keys(), ...this.#written.keys()]);
    return [...cells].flatMap((cell) => {
      const is = after.get(cell);
      const must = this.#written.has(cell) ? this.#written.get(cell) : before.get(cell);
      if (is === must || (this.#uncertain.has(cell) && is === this.#uncertain.get(cell))) return [];
      return [`${cell} is ${String(is)}, must be ${String(must)}`];
    });
  }
}
