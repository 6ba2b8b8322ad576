import * as fc from 'fast-check';

export const fields = ['name', 'hypothesis'] as const;
export type Field = (typeof fields)[number];

/** How many rows of each kind a program works on. */
export const rowCount = 3;

/** The steps that a row or a column of a row belongs to: reads, and writes of a cell that no other step writes. */
const rowSteps = ['read', 'list', 'card', 'remove', 'fill'] as const;
const fieldSteps = ['update', 'assign', 'statement', 'kysely'] as const;
const plainSteps = ['count', 'deepen', 'rate', 'query', 'add', 'flush', 'append', 'save-all'] as const;

/** The streams of a unit of work: of its manager, and Kysely's own. */
const streamKinds = ['em', 'kysely'] as const;
export type StreamKind = (typeof streamKinds)[number];

/**
 * What a branch does.
 *
 * - `read`, `list`, `query`: read by key, by condition and past the entities.
 * - `update`, `assign`: change a loaded row, by its repository and in memory.
 * - `statement`, `kysely`: change a row by plain SQL and by Kysely, so that a loaded entity of the row is out of date.
 * - `card`, `count`, `rate`: change a row by one statement of its repository. `deepen` changes the same row as the last two in memory.
 * - `append`, `fill`: load new rows and a null column by `loadRows`. `save-all` copies rows by a repository.
 * - `stream` reads some rows and leaves the loop; `leave-stream` leaves the stream open.
 * - `inner`: an inner unit of work.
 */
export type Step =
  | { readonly do: (typeof rowSteps)[number]; readonly row: number }
  | { readonly do: (typeof fieldSteps)[number]; readonly row: number; readonly field: Field }
  | { readonly do: (typeof plainSteps)[number] }
  | { readonly do: 'stream'; readonly kind: StreamKind; readonly rows: number }
  | { readonly do: 'leave-stream'; readonly kind: StreamKind }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'inner'; readonly steps: readonly Step[]; readonly fails: boolean };

/** How a branch calls a step: its failure ends the branch, or is caught, or the branch doesn't wait for the step. */
const modes = ['awaited', 'caught', 'dropped'] as const;

interface PlannedStep {
  readonly step: Step;
  readonly mode: (typeof modes)[number];
}

export interface Branch {
  readonly steps: readonly PlannedStep[];
  readonly throws: boolean;
}

/** One unit of work, whose branches run at once. */
export interface Program {
  readonly branches: readonly Branch[];
  /** Milliseconds after which its signal aborts; null for never. */
  readonly abortsAfter: number | null;
}

const row = fc.nat({ max: rowCount - 1 });
const kind = fc.constantFrom(...streamKinds);

const simple: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constantFrom(...rowSteps), row }) },
  {
    weight: 7,
    arbitrary: fc.record({ do: fc.constantFrom(...fieldSteps), row, field: fc.constantFrom(...fields) }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom(...plainSteps) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat({ max: 3 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('stream' as const), kind, rows: fc.nat({ max: 400 }) }),
  },
);

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 30, arbitrary: simple },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('inner' as const),
      steps: fc.array(simple, { maxLength: 4 }),
      fails: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('leave-stream' as const), kind }) },
);

/** The usual value, or in one of twenty cases one of `rare`. */
function rarely<T>(usual: T, rare: fc.Arbitrary<T>): fc.Arbitrary<T> {
  return fc.oneof({ weight: 19, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: rare });
}

const branch: fc.Arbitrary<Branch> = fc.record({
  steps: fc.array(
    fc.record({
      step,
      mode: fc.oneof(
        { weight: 1, arbitrary: fc.constant('awaited' as const) },
        { weight: 14, arbitrary: fc.constant('caught' as const) },
        { weight: 1, arbitrary: fc.constant('dropped' as const) },
      ),
    }),
    { maxLength: 6 },
  ),
  throws: rarely(false, fc.constant(true)),
});

export const programs: fc.Arbitrary<Program> = fc.record({
  branches: fc.array(branch, { minLength: 1, maxLength: 4 }),
  abortsAfter: rarely(null, fc.nat({ max: 25 })),
});
