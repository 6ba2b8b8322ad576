import { LockMode, type EntityData, type EntityManager } from '@mikro-orm/postgresql';
import { AnalysisRun, runStatuses } from '../entities/analysis-run.ts';
import { shapes } from '../entities/load-shapes.ts';
import type { OutcomeRates } from '../entities/shapes.ts';
import { checkDocument } from '../json/check-shape.ts';
import { detachDeleted } from './detach-deleted.ts';
import { Repository } from './repository.ts';
import {
  document,
  fields,
  Instant,
  Integer,
  Key,
  nullable,
  FiniteNumber,
  oneOf,
  optional,
  rowMethods,
  locks,
  reads,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** The figures of a run. An absent one stays as it is; null clears it. */
export interface RunFigures {
  readonly completedAt?: Date | null | undefined;
  readonly totalSynths?: number | undefined;
  readonly aggregatedOutcomes?: OutcomeRates | null | undefined;
  readonly executionTimeSeconds?: number | null | undefined;
}

/**
 * Simulations of experiments: one at most for each. The run of a deleted experiment is returned by its own key and by that of its
 * experiment, and is not claimed.
 */
export class AnalysisRunRepository extends Repository<AnalysisRun> {
  constructor(em: EntityManager) {
    super(em, AnalysisRun);
  }

  /** Returns the run of an experiment, to be modified; null if none exists. */
  findByExperiment(experimentId: string): Promise<AnalysisRun | null> {
    return this.findOne({ experiment: experimentId });
  }

  /**
   * Returns the run of an experiment, to be modified.
   *
   * @throws NotFoundError if it does not exist.
   */
  async getByExperiment(experimentId: string): Promise<AnalysisRun> {
    return this.requireFound(await this.findByExperiment(experimentId), { experimentId });
  }

  /** Returns the key of an experiment's completed run, of several the latest started; null if none exists. */
  async findLatestCompletedKey(experimentId: string): Promise<string | null> {
    const db = await this.queryForRead();
    const found = await db
      .selectFrom('analysis_runs')
      .select('id')
      .where('experiment_id', '=', experimentId)
      .where('status', '=', 'completed')
      .orderBy('started_at', 'desc')
      .orderBy('id', 'desc')
      .limit(1)
      .executeTakeFirst();
    return found?.id ?? null;
  }

  /** Returns the run with this key as it is now, to be modified, and locks it; null if none exists. Other writers of the run wait. */
  lock(key: string): Promise<AnalysisRun | null> {
    return this.findOne({ id: key }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  }

  /**
   * Returns the pending run that started first, to be modified, and locks it; null if none exists. Runs that another transaction has
   * locked are skipped, so that concurrent workers claim different runs without waiting. Runs of deleted experiments are not claimed.
   */
  lockNextPending(): Promise<AnalysisRun | null> {
    return this.findOne(
      { status: 'pending', experiment: { status: 'active' } },
      {
        orderBy: { startedAt: 'asc', id: 'asc' },
        lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
        // The ORM's alias of the run's own table: a lock on the experiment's row would block edits of the experiment.
        lockTableAliases: ['a0'],
      },
    );
  }

  /**
   * Updates the status of a run, and the given figures, by one statement.
   *
   * @throws NotFoundError if it does not exist; InvalidJsonError when the outcomes have the wrong shape.
   */
  async saveStatus(
    key: string,
    status: (typeof runStatuses)[number],
    { completedAt, totalSynths, aggregatedOutcomes, executionTimeSeconds }: RunFigures = {},
  ): Promise<void> {
    if (aggregatedOutcomes != null) {
      checkDocument('analysis_runs.aggregated_outcomes', shapes().OutcomeRates, aggregatedOutcomes);
    }
    const changes: EntityData<AnalysisRun> = { status };
    if (completedAt !== undefined) changes.completedAt = completedAt;
    if (totalSynths !== undefined) changes.totalSynths = totalSynths;
    if (aggregatedOutcomes !== undefined) changes.aggregatedOutcomes = aggregatedOutcomes;
    if (executionTimeSeconds !== undefined) changes.executionTimeSeconds = executionTimeSeconds;
    await this.updateRow(key, { id: key }, changes);
  }

  /**
   * Deletes the run of an experiment, by one statement, with its outcomes, its cache and the explorations that start from it. Returns false
   * if none exists. A new run can then be added in the same unit of work.
   */
  async deleteByExperiment(experimentId: string): Promise<boolean> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('analysis_runs')
      .where('experiment_id', '=', experimentId)
      .returning('id')
      .execute();
    return detachDeleted(this.em, AnalysisRun, deleted) > 0;
  }

  static readonly signatures = {
    ...rowMethods(AnalysisRun),
    findByExperiment: reads({ experimentId: Key }),
    getByExperiment: reads({ experimentId: Key }),
    findLatestCompletedKey: reads({ experimentId: Key }),
    lock: locks({ key: Key }),
    lockNextPending: locks(),
    saveStatus: writes(
      { key: Key },
      { status: oneOf(runStatuses) },
      {
        figures: optional(
          fields<RunFigures>({
            completedAt: optional(nullable(Instant)),
            totalSynths: optional(Integer),
            aggregatedOutcomes: optional(nullable(document<OutcomeRates>())),
            executionTimeSeconds: optional(nullable(FiniteNumber)),
          }),
        ),
      },
    ),
    deleteByExperiment: writes({ experimentId: Key }),
  } satisfies Signatures<AnalysisRunRepository>;
}
