import { isDeepStrictEqual } from 'node:util';
import * as fc from 'fast-check';
import { changed, measure, type RowState, type Tracked } from './row-state.ts';

const isolationLevels = ['read committed', 'repeatable read', 'serializable'] as const;
export type Isolation = (typeof isolationLevels)[number];

/**
 * How a step changes a row.
 *
 * - `edit`: loads the row first, and changes the loaded value in memory.
 * - `statement`: changes the current value by one statement.
 * - `repository`: the same by a method of its repository, if there is one.
 * - `upsert`, `load`: write a value independent of the current one; `load` writes every tracked property.
 * - `derive`: an edit by a number that depends on the other row. Below `serializable`, where a row that was read may change, it is an `edit`.
 */
const stepKinds = ['edit', 'statement', 'repository', 'upsert', 'load', 'derive'] as const;

export interface Step {
  readonly kind: (typeof stepKinds)[number];
  readonly row: 0 | 1;
  /** The index of the tracked property, modulo their number. */
  readonly property: number;
  /** The delay before the step, in milliseconds. */
  readonly pause: number;
}

/** Concurrent units of work on two rows. */
export interface History {
  readonly isolation: Isolation;
  /** The index of the second row's table, modulo their number. The first row is in the tested table. */
  readonly beside: number;
  readonly units: readonly (readonly Step[])[];
}

const anyStep: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...stepKinds, 'edit'),
  row: fc.constantFrom(0, 0, 1),
  property: fc.nat({ max: 11 }),
  pause: fc.nat({ max: 3 }),
});

export const histories: fc.Arbitrary<History> = fc.record({
  isolation: fc.constantFrom(...isolationLevels),
  beside: fc.nat({ max: 100 }),
  units: fc.array(fc.array(anyStep, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 }),
});

/** A row that a history changes. */
export interface HistoryRow {
  readonly tracked: readonly Tracked[];
  /** Its state before the history. */
  readonly before: RowState;
  /** The change that its repository makes by one statement; null without such a method. */
  readonly repository: { readonly property: string; readonly adds: boolean } | null;
}

/** Returns a number that is unique among the steps of a history. */
export const tokenOf = (unit: number, place: number): number => 1 + unit * 3 + place;

/** Returns the property that a step changes. */
export function targetOf(row: HistoryRow, { kind, property }: Step): Tracked {
  const found =
    kind === 'repository' && row.repository
      ? row.tracked.find((one) => one.property === row.repository?.property)
      : row.tracked[property % row.tracked.length];
  if (!found) throw new Error('the row has nothing that a history could change');
  return found;
}

/** Returns the states of the rows after a step without concurrency. */
function afterStep(
  rows: readonly [HistoryRow, HistoryRow],
  states: readonly [RowState, RowState],
  step: Step,
  { token, isolation }: { readonly token: number; readonly isolation: Isolation },
): [RowState, RowState] {
  const row = rows[step.row];
  const target = targetOf(row, step);
  const state = states[step.row];
  const { before } = row;
  const next = (value: unknown, by = token): RowState => ({
    ...state,
    [target.property]: changed(target.kind, value, by),
  });
  const after: Record<Step['kind'], () => RowState> = {
    edit: () => next(state[target.property]),
    statement: () => next(state[target.property]),
    repository: () => next(row.repository?.adds === false ? before[target.property] : state[target.property]),
    upsert: () => next(before[target.property]),
    load: () => ({ ...next(before[target.property]), ...without(before, target.property) }),
    derive: () => next(state[target.property], token + derivedFrom(rows, states, step, isolation)),
  };
  const result: [RowState, RowState] = [...states];
  result[step.row] = after[step.kind]();
  return result;
}

/** Returns the number that a `derive` adds for the state of the other row. */
export function derivedFrom(
  rows: readonly [HistoryRow, HistoryRow],
  states: readonly [RowState, RowState],
  { row, property }: Step,
  isolation: Isolation,
): number {
  const other = row === 0 ? 1 : 0;
  const read = rows[other].tracked[property % rows[other].tracked.length];
  return isolation === 'serializable' && read ? 16 * measure(states[other][read.property]) : 0;
}

/** Returns whether the rows have the state after a serial execution, in some order, of the units that reported success. */
export function isExplained(
  history: History,
  rows: readonly [HistoryRow, HistoryRow],
  succeeded: readonly number[],
  after: readonly [RowState, RowState],
): boolean {
  return orders(succeeded).some((order) => {
    let states: [RowState, RowState] = [rows[0].before, rows[1].before];
    for (const unit of order) {
      for (const [place, step] of (history.units[unit] ?? []).entries()) {
        const { isolation } = history;
        states = afterStep(rows, states, step, { token: tokenOf(unit, place), isolation });
      }
    }
    return isDeepStrictEqual(states, after);
  });
}

function orders(units: readonly number[]): number[][] {
  if (units.length === 0) return [[]];
  return units.flatMap((first) =>
    orders(units.filter((unit) => unit !== first)).map((rest) => [first, ...rest]),
  );
}

function without(state: RowState, property: string): RowState {
  return Object.fromEntries(Object.entries(state).filter(([name]) => name !== property));
}
