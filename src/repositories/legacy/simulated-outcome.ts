import type { Kysely } from '@mikro-orm/postgresql';
import type { SimulationAttributes } from '../../entities/synth.ts';
import type { Tables } from '../../entities/tables.ts';
import { double, doubleColumn } from '../exact-columns.ts';

/**
 * How one synth fared in a legacy simulation, as it was stored.
 *
 * @deprecated Lives on for its data.
 */
export interface SimulatedOutcome {
  readonly id: string;
  readonly synthId: string;
  readonly didNotTryRate: number;
  readonly failedRate: number;
  readonly successRate: number;
  readonly synthAttributes: SimulationAttributes | null;
}

/**
 * The outcomes of a legacy simulation. They were stored under an analysis run of the same key but for its prefix, since outcomes
 * belong to one.
 */
export function outcomesOf(db: Kysely<Tables>, simulationId: string) {
  return db.selectFrom('synth_outcomes').where('analysis_id', '=', simulationId.replace(/^sim_/, 'ana_'));
}

/** The outcomes of a legacy simulation, with what is shown of them. */
export function selectedOutcomesOf(db: Kysely<Tables>, simulationId: string) {
  return outcomesOf(db, simulationId).select([
    'id',
    'synth_id',
    doubleColumn('did_not_try_rate'),
    doubleColumn('failed_rate'),
    doubleColumn('success_rate'),
    'synth_attributes',
  ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectedOutcomesOf>['execute']>>[number];

/** A row as it is shown. */
export function toOutcome(row: Row): SimulatedOutcome {
  return {
    id: row.id,
    synthId: row.synth_id,
    didNotTryRate: double(row.did_not_try_rate_hex),
    failedRate: double(row.failed_rate_hex),
    successRate: double(row.success_rate_hex),
    synthAttributes: row.synth_attributes,
  };
}
