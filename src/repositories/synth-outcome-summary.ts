import type { Kysely } from '@mikro-orm/postgresql';
import type { SimulationAttributes } from '../entities/synth.ts';
import type { Tables } from '../entities/tables.ts';
import { double, doubleColumn, meanOf } from './exact-columns.ts';
import type { CopiedType } from '../postgres/copy/binary-rows.ts';
import { statement } from './statement.ts';

/** How one synth fared in a run. */
export interface OutcomeSummary {
  readonly id: string;
  readonly synthId: string;
  readonly didNotTryRate: number;
  readonly failedRate: number;
  readonly successRate: number;
  /** The synth's, as they were at the run; null where they were not kept. */
  readonly synthAttributes: SimulationAttributes | null;
}

/** How a synth fared last, and in which run. */
export interface LatestOutcome extends OutcomeSummary {
  readonly analysisId: string;
}

/** How a synth fared, as a simulation found it. */
export interface NewOutcome extends Omit<OutcomeSummary, 'id'> {
  /** Minted when absent; an outcome that is there keeps its own. */
  readonly id?: string | undefined;
}

/** Means over the outcomes of a run. */
export interface OutcomeStatistics {
  readonly averageDidNotTryRate: number;
  readonly averageFailedRate: number;
  readonly averageSuccessRate: number;
  readonly synthCount: number;
}

// Under the names that they are shown by: with thousands of rows, a copy of each one costs as much as reading it.
export function outcomes(db: Kysely<Tables>) {
  return db
    .selectFrom('synth_outcomes')
    .select([
      'synth_outcomes.id',
      'synth_outcomes.synth_id as synthId',
      doubleColumn('did_not_try_rate', 'didNotTryRate'),
      doubleColumn('failed_rate', 'failedRate'),
      doubleColumn('success_rate', 'successRate'),
      'synth_attributes as synthAttributes',
    ]);
}

/** The outcomes of a run in the order of its synths, from behind one of them on; no key is empty, so that all come after an empty one. */
export const outcomesBehind = statement(
  (db, { analysisId, synthId, limit }: { analysisId: string; synthId: string; limit: number }) =>
    outcomes(db)
      .where('synth_outcomes.analysis_id', '=', analysisId)
      .where('synth_outcomes.synth_id', '>', synthId)
      .orderBy('synth_outcomes.synth_id')
      .limit(limit),
);

type SentOutcome = Awaited<ReturnType<ReturnType<typeof outcomes>['execute']>>[number];
type Rates = { -readonly [Rate in 'didNotTryRate' | 'failedRate' | 'successRate']: number };

/** The same row, whose rates are numbers now. */
export function withRates<Row extends SentOutcome>(row: Row): Omit<Row, keyof Rates> & Rates {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- true once the rates are read, below
  const read = row as Omit<Row, keyof Rates> as Omit<Row, keyof Rates> & Rates;
  const { didNotTryRate, failedRate, successRate } = row;
  read.didNotTryRate = double(didNotTryRate);
  read.failedRate = double(failedRate);
  read.successRate = double(successRate);
  return read;
}

// Leaves out what a page's statement adds to its rows.
export function toSummary(row: SentOutcome): OutcomeSummary {
  const { id, synthId, didNotTryRate, failedRate, successRate, synthAttributes } = withRates(row);
  return { id, synthId, didNotTryRate, failedRate, successRate, synthAttributes };
}

export function statistics(db: Kysely<Tables>, analysisId: string) {
  return db
    .selectFrom('synth_outcomes')
    .select((eb) => [
      meanOf('did_not_try_rate').as('averageDidNotTryRate'),
      meanOf('failed_rate').as('averageFailedRate'),
      meanOf('success_rate').as('averageSuccessRate'),
      eb.cast<number>(eb.fn.countAll(), 'integer').as('synthCount'),
    ])
    .where('analysis_id', '=', analysisId);
}

type StatisticsRow = Awaited<ReturnType<ReturnType<typeof statistics>['executeTakeFirstOrThrow']>>;

/** Null for a run without outcomes, whose means are nothing. */
export function toStatistics(row: StatisticsRow): OutcomeStatistics | null {
  const averageDidNotTryRate = double(row.averageDidNotTryRate);
  const averageFailedRate = double(row.averageFailedRate);
  const averageSuccessRate = double(row.averageSuccessRate);
  if (averageDidNotTryRate === null || averageFailedRate === null || averageSuccessRate === null) return null;
  return { averageDidNotTryRate, averageFailedRate, averageSuccessRate, synthCount: row.synthCount };
}

/** A row as it is stored anew: with the version that the column defaults to. */
export type OutcomeRow = Readonly<Omit<Tables['synth_outcomes'], 'row_version'>>;

export const copiedColumns = {
  id: 'text',
  analysis_id: 'text',
  synth_id: 'text',
  did_not_try_rate: 'double precision',
  failed_rate: 'double precision',
  success_rate: 'double precision',
  synth_attributes: 'jsonb',
} as const satisfies Record<keyof OutcomeRow, CopiedType>;

/** One parameter for all rows: a statement takes 65,535 at most. */
export function upsertOutcomes(db: Kysely<Tables>, rows: readonly OutcomeRow[]) {
  const columns = [
    'id',
    'analysis_id',
    'synth_id',
    'did_not_try_rate',
    'failed_rate',
    'success_rate',
    'synth_attributes',
  ] as const;
  return db
    .insertInto('synth_outcomes')
    .columns(columns)
    .expression((eb) =>
      eb
        .selectFrom(
          eb
            .fn<OutcomeRow>('json_populate_recordset', [
              eb.cast(eb.lit(null), eb.table('synth_outcomes')),
              eb.cast(eb.val(JSON.stringify(rows)), 'json'),
            ])
            .as('incoming'),
        )
        .select(columns),
    )
    .onConflict((conflict) =>
      conflict.columns(['analysis_id', 'synth_id']).doUpdateSet((eb) => ({
        did_not_try_rate: eb.ref('excluded.did_not_try_rate'),
        failed_rate: eb.ref('excluded.failed_rate'),
        success_rate: eb.ref('excluded.success_rate'),
        synth_attributes: eb.ref('excluded.synth_attributes'),
      })),
    );
}
