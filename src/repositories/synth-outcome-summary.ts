import type { Kysely } from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import { parseDouble, meanOf } from './exact-columns.ts';
import type { CopiedType } from '../postgres/copy/binary-rows.ts';
import { extended, readModel, type ShownBy, type SortKeyOf } from './read-model/read-model.ts';

export const outcomeSummaries = readModel({
  from: 'synth_outcomes',
  select: {
    id: 'id',
    synthId: 'synth_id',
    didNotTryRate: 'did_not_try_rate',
    failedRate: 'failed_rate',
    successRate: 'success_rate',
    /** The synth's attributes at the time of the run; null if they were not stored. */
    synthAttributes: 'synth_attributes',
  },
  sorts: {
    synthId: 'synth_id',
    didNotTryRate: 'did_not_try_rate',
    failedRate: 'failed_rate',
    successRate: 'success_rate',
  },
  direction: 'asc',
  // A run has one outcome at most of a synth.
  tieBreaker: 'synth_id',
  filters: (by) => ({ analysis: by.parent('analysis_id') }),
});

export type OutcomeSortKey = SortKeyOf<typeof outcomeSummaries>;

/** The outcome of one synth in a run. */
export type OutcomeSummary = ShownBy<typeof outcomeSummaries>;

export const latestOutcomes = extended(outcomeSummaries, { analysisId: 'analysis_id' });

/** The latest outcome of a synth, with its run. */
export type LatestOutcome = ShownBy<typeof latestOutcomes>;

/** An outcome to be saved. */
export interface NewOutcome extends Omit<OutcomeSummary, 'id'> {
  /** Generated when absent. A replaced outcome keeps its key. */
  readonly id?: string | undefined;
}

/** Means over the outcomes of a run. */
export interface OutcomeStatistics {
  readonly averageDidNotTryRate: number;
  readonly averageFailedRate: number;
  readonly averageSuccessRate: number;
  readonly synthCount: number;
}

/** Returns the query for the means over the outcomes of a run. */
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

/** Returns the statistics of a row; null for a run without outcomes. */
export function toStatistics(row: StatisticsRow): OutcomeStatistics | null {
  const averageDidNotTryRate = parseDouble(row.averageDidNotTryRate);
  const averageFailedRate = parseDouble(row.averageFailedRate);
  const averageSuccessRate = parseDouble(row.averageSuccessRate);
  if (averageDidNotTryRate === null || averageFailedRate === null || averageSuccessRate === null) return null;
  return { averageDidNotTryRate, averageFailedRate, averageSuccessRate, synthCount: row.synthCount };
}

/** A row to be inserted; its `row_version` is the default of the column. */
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

/** Returns the statement that inserts or replaces rows. All rows are one parameter: a statement takes 65,535 parameters at most. */
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
