import type { Kysely } from '@mikro-orm/postgresql';
import type { SimulationAttributes } from '../entities/shapes.ts';
import type { Tables } from '../entities/tables.ts';

/** A synth with its attributes for a simulation. */
export interface SimulatedSynth {
  readonly id: string;
  readonly simulationAttributes: SimulationAttributes;
}

/** The keys of the synths with the highest and the lowest success rates of an analysis. No synth is in both. */
export interface ExtremeSynths {
  /** Best first. */
  readonly top: readonly string[];
  /** Worst first. */
  readonly bottom: readonly string[];
}

/**
 * Returns the query for the synths with data of the experiment's completed run, ordered by key. It returns one row without a synth if the run
 * has none, and no row if there is no such run.
 */
export function synthsOfRun(db: Kysely<Tables>, experiment: string, limit: number | undefined) {
  return completedRun(db, experiment)
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('synth_outcomes')
          .innerJoin('synths', 'synths.id', 'synth_outcomes.synth_id')
          .select(['synths.id', 'synths.data'])
          .whereRef('synth_outcomes.analysis_id', '=', 'analysis_runs.id')
          .where('synths.data', 'is not', null)
          .orderBy('synths.id')
          .limit(limit ?? null)
          .as('synth'),
      (join) => join.onTrue(),
    )
    .select(['synth.id', 'synth.data'])
    .orderBy('synth.id');
}

/**
 * Returns the query for the `count` best and the `count` worst outcomes of the experiment's completed run, best first, with the rank of each
 * and the total. It returns one row without an outcome if the run has none, and no row if there is no such run.
 */
export function extremeOutcomes(db: Kysely<Tables>, experiment: string, count: number) {
  return completedRun(db, experiment)
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('synth_outcomes')
          .select((on) => [
            'synth_id',
            on
              .cast<number>(
                on.fn
                  .agg<string>('row_number')
                  .over((over) => over.orderBy('success_rate', 'desc').orderBy('synth_id')),
                'integer',
              )
              .as('place'),
            on.cast<number>(on.fn.countAll().over(), 'integer').as('total'),
          ])
          .whereRef('analysis_id', '=', 'analysis_runs.id')
          .as('ranked'),
      (join) =>
        join.on((on) =>
          on.or([on('ranked.place', '<=', count), on('ranked.place', '>', on('ranked.total', '-', count))]),
        ),
    )
    .select(['ranked.synth_id', 'ranked.place', 'ranked.total'])
    .orderBy('ranked.place');
}

// An experiment has one run at most.
function completedRun(db: Kysely<Tables>, experiment: string) {
  return db
    .selectFrom('analysis_runs')
    .where('analysis_runs.experiment_id', '=', experiment)
    .where('analysis_runs.status', '=', 'completed');
}
