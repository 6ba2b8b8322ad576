import type { Difference } from '../catalog/differences.ts';
import type { LeftOut } from '../catalog/server-guard.ts';
import type { Direction } from '../files/code-migration.ts';
import type { Measurement } from '../measure/measurement.ts';
import { isDeclaredBy, type Declaration, type Declarations } from '../files/declarations.ts';
import { isServed, type TrafficReport } from './traffic-report.ts';

/** What a direction of a migration loses, or whose rows it refuses. */
export interface VerifiedEffect {
  /** `table`, `table.column`, or `table (constraint)`; quoted as in SQL, without `public`. */
  readonly object: string;
  readonly what: string;
  /** How many of the generated rows it concerns, in the set where most do. */
  readonly rows: number;
  /** The reason that the migration declares; null for an effect that it does not declare. */
  readonly declared: string | null;
}

/** A difference between the schema before and after a direction and its opposite. */
export interface SchemaChange {
  /** `down` after which the schema is not as before `up`; `up` after which it is not as the first `up` made it. */
  readonly after: Direction;
  readonly difference: Difference;
}

/** What was proven of a migration. */
export interface Certificate {
  readonly migration: string;
  readonly certificate: 'lossless' | 'lossy as declared' | 'irreversible as declared' | 'failed';
  /** What is lost by `up` and `down`. */
  readonly loses: readonly VerifiedEffect[];
  /** What is lost by `down` and `up`: rows of the new schema. Without a `down`, nothing. */
  readonly losesDown: readonly VerifiedEffect[];
  readonly refusesUp: readonly VerifiedEffect[];
  readonly refusesDown: readonly VerifiedEffect[];
  readonly differences: readonly SchemaChange[];
  /** Failures that are due to no row, such as a statement that PostgreSQL refuses. */
  readonly failures: readonly string[];
  /** Declarations that no generated row confirms. */
  readonly notSeen: readonly string[];
  /** Tables without an accepted row, so that nothing is known of their data. */
  readonly notCovered: readonly string[];
  /** Statements that the scratch database did not receive. */
  readonly leftOut: readonly LeftOut[];
  /** How many rows were generated, in all sets. */
  readonly rows: number;
  readonly durationMs: number;
  /** The digest of the SQL that `up` sends, as in the history; null where it queries the database first, or there are several migrations. */
  readonly checksum: string | null;
  /** What each statement took on the requested number of rows; absent where none was requested. */
  readonly measured?: Measurement;
  /** What became of requests that were sent meanwhile; null unless that was asked for, and when `up` fails. */
  readonly traffic: TrafficReport | null;
}

/** An effect before it is compared with the declarations. */
export interface ObservedEffect {
  readonly schema: string;
  readonly table: string;
  /** The columns that it concerns; none for the table. A declaration of one of them is enough. */
  readonly columns: readonly string[];
  readonly object: string;
  readonly what: string;
  readonly rows: number;
}

/** What was observed of a migration. */
export interface Observations {
  readonly loses: readonly ObservedEffect[];
  readonly losesDown: readonly ObservedEffect[];
  readonly refusesUp: readonly ObservedEffect[];
  readonly refusesDown: readonly ObservedEffect[];
  readonly differences: readonly SchemaChange[];
  readonly failures: readonly string[];
  readonly notCovered: readonly string[];
  readonly leftOut: readonly LeftOut[];
  readonly rows: number;
  readonly durationMs: number;
  readonly checksum: string | null;
  readonly traffic: TrafficReport | null;
  /** Whether it has no `down`. */
  readonly isIrreversible: boolean;
}

/** Compares what was observed of a migration with what it declares. */
export function certify(
  migration: string,
  { isIrreversible, failures, ...seen }: Observations,
  { loses, refuses, irreversible }: Declarations,
): Certificate {
  const lost = compare(seen.loses, loses);
  const lostDown = compare(seen.losesDown, loses);
  const refusedUp = compare(seen.refusesUp, refuses);
  const refusedDown = compare(seen.refusesDown, refuses);
  const effects = [lost, lostDown, refusedUp, refusedDown];
  const isUndeclared = effects.flat().some(({ declared }) => declared === null);
  const missing =
    isIrreversible && irreversible === null
      ? ["it has no down: write one, or declare static irreversible = 'why'"]
      : [];
  const isUnserved = seen.traffic !== null && !isServed(seen.traffic);
  const hasFailed =
    isUndeclared || isUnserved || missing.length + failures.length + seen.differences.length > 0;
  // What is lost can't be compared where the way back refuses all rows for it, as for a required column.
  const isLossy =
    lost.length + lostDown.length > 0 ||
    seen.refusesDown.some((effect) => loses.some((one) => isDeclared(effect, one)));
  const observed = [...seen.loses, ...seen.losesDown, ...seen.refusesUp, ...seen.refusesDown];
  const unseen = [...loses, ...refuses].filter((one) => !observed.some((effect) => isDeclared(effect, one)));
  return {
    ...seen,
    migration,
    certificate: hasFailed
      ? 'failed'
      : isIrreversible
        ? 'irreversible as declared'
        : isLossy
          ? 'lossy as declared'
          : 'lossless',
    loses: lost,
    losesDown: lostDown,
    refusesUp: refusedUp,
    refusesDown: refusedDown,
    failures: [...missing, ...failures],
    notSeen: [
      ...unseen.map(({ text }) => text),
      ...(irreversible !== null && !isIrreversible ? [`irreversible: ${irreversible}`] : []),
    ],
  };
}

function compare(
  observed: readonly ObservedEffect[],
  declarations: readonly Declaration[],
): VerifiedEffect[] {
  return observed.map((effect) => ({
    object: effect.object,
    what: effect.what,
    rows: effect.rows,
    declared: declarations.find((one) => isDeclared(effect, one))?.reason ?? null,
  }));
}

function isDeclared({ schema, table, columns }: ObservedEffect, declaration: Declaration): boolean {
  return [null, ...columns].some((column) => isDeclaredBy(declaration, { schema, table, column }));
}

/** Adds an effect, and keeps one for each object: that of most rows. */
export function addEffect(effects: Map<string, ObservedEffect>, effect: ObservedEffect): void {
  // Rows that are lost and values that change are different effects.
  const key = `${effect.object} ${effect.columns.length}`;
  const known = effects.get(key);
  if (!known || known.rows < effect.rows) effects.set(key, effect);
}
