import type { Direction } from '../files/code-migration.ts';
import { addEffect, type ObservedEffect, type Observations, type SchemaChange } from './certificate.ts';
import type { RowDifference } from './compare-rows.ts';
import type { TrafficReport } from './traffic-report.ts';

/** Collects what is observed of a migration, in all sets of rows. */
export class Findings {
  readonly differences: SchemaChange[] = [];
  readonly failures: string[] = [];
  readonly notCovered = new Set<string>();
  rows = 0;
  isIrreversible = false;
  traffic: TrafficReport | null = null;
  readonly #lost = { up: new Map<string, ObservedEffect>(), down: new Map<string, ObservedEffect>() };
  readonly #refused = { up: new Map<string, ObservedEffect>(), down: new Map<string, ObservedEffect>() };

  addLoss(direction: Direction, { schema, table, column, object, what, rows }: RowDifference): void {
    const columns = column === null ? [] : [column];
    addEffect(this.#lost[direction], { schema, table, columns, object, what, rows });
  }

  addRefusal(direction: Direction, effect: ObservedEffect): void {
    addEffect(this.#refused[direction], effect);
  }

  addFailure(text: string): void {
    if (!this.failures.includes(text)) this.failures.push(text);
  }

  /** Adds what was observed of the same migration at another time; `when` begins its failures. */
  addAll(other: Findings, when: string): void {
    for (const direction of ['up', 'down'] as const) {
      for (const effect of other.#lost[direction].values()) addEffect(this.#lost[direction], effect);
      for (const effect of other.#refused[direction].values()) addEffect(this.#refused[direction], effect);
    }
    this.differences.push(...other.differences);
    for (const text of other.failures) this.addFailure(`${when}: ${text}`);
    for (const table of other.notCovered) this.notCovered.add(table);
    this.rows += other.rows;
  }

  /** Returns what was observed; each effect of a direction once. */
  observations(given: Pick<Observations, 'leftOut' | 'durationMs' | 'checksum'>): Observations {
    return {
      ...given,
      loses: sorted(this.#lost.up),
      losesDown: sorted(this.#lost.down),
      refusesUp: sorted(this.#refused.up),
      refusesDown: sorted(this.#refused.down),
      differences: this.differences,
      failures: this.failures,
      notCovered: [...this.notCovered].toSorted(),
      rows: this.rows,
      isIrreversible: this.isIrreversible,
      traffic: this.traffic,
    };
  }
}

function sorted(effects: ReadonlyMap<string, ObservedEffect>): ObservedEffect[] {
  return [...effects.values()].toSorted((a, b) => (a.object < b.object ? -1 : 1));
}
