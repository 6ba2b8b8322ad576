import { LockMode, type EntityData, type EntityManager } from '@mikro-orm/postgresql';
import { AnalysisRun, runStatuses } from '../entities/analysis-run.ts';
import { OutcomeRates } from '../entities/shapes.ts';
import { checkDocument } from '../json/check-shape.ts';
import { forget } from './forget.ts';
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

/** What is known of a run besides its status. What is absent stays as it is; null clears. */
export interface RunFigures {
  readonly completedAt?: Date | null | undefined;
  readonly totalSynths?: number | undefined;
  readonly aggregatedOutcomes?: OutcomeRates | null | undefined;
  readonly executionTimeSeconds?: number | null | undefined;
}

/**
 * Simulations of experiments, of which each has one at most. That of a deleted experiment can still be reached by its own key and by
 * its experiment's, but is not claimed.
 */
export class AnalysisRunRepository extends Repository<AnalysisRun> {
  constructor(em: EntityManager) {
    super(em, AnalysisRun);
  }

  /** The run of an experiment, to be modified; null when it has none. */
  findByExperiment(experimentId: string): Promise<AnalysisRun | null> {
    return this.one({ experiment: experimentId });
  }

  /**
   * The run of an experiment, to be modified.
   *
   * @throws NotFoundError when it has none.
   */
  async getByExperiment(experimentId: string): Promise<AnalysisRun> {
    return this.must(await this.findByExperiment(experimentId), { experimentId });
  }

  /**
   * The key of an experiment's run, the latest started if it had several; null unless it is completed.
   */
  async findLatestCompletedKey(experimentId: string): Promise<string | null> {
    const db = await this.rows();
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

  /** The run with this key as it is now, to be modified; null if none exists. Others that would change it wait. */
  lock(key: string): Promise<AnalysisRun | null> {
    return this.one({ id: key }, { lockMode: LockMode.PESSIMISTIC_WRITE });
  }

  /**
   * The pending run that was started first and that no other transaction holds, to be modified; null if none exists. Concurrent workers get different runs, without waiting. Runs of deleted experiments wait until those are restored.
   */
  lockNextPending(): Promise<AnalysisRun | null> {
    return this.one(
      { status: 'pending', experiment: { status: 'active' } },
      {
        orderBy: { startedAt: 'asc', id: 'asc' },
        lockMode: LockMode.PESSIMISTIC_PARTIAL_WRITE,
        // The ORM's name for the run's own table: a lock on the experiment's would be in the way of who edits that.
        lockTableAliases: ['a0'],
      },
    );
  }

  /**
   * Sets the status of a run, and the figures that are given, by one statement.
   *
   * @throws NotFoundError if it does not exist; InvalidJsonError.
   */
  async updateStatus(
    key: string,
    status: (typeof runStatuses)[number],
    { completedAt, totalSynths, aggregatedOutcomes, executionTimeSeconds }: RunFigures = {},
  ): Promise<void> {
    if (aggregatedOutcomes != null) {
      checkDocument('analysis_runs.aggregated_outcomes', OutcomeRates, aggregatedOutcomes);
    }
    const changes: EntityData<AnalysisRun> = { status };
    if (completedAt !== undefined) changes.completedAt = completedAt;
    if (totalSynths !== undefined) changes.totalSynths = totalSynths;
    if (aggregatedOutcomes !== undefined) changes.aggregatedOutcomes = aggregatedOutcomes;
    if (executionTimeSeconds !== undefined) changes.executionTimeSeconds = executionTimeSeconds;
    await this.change(key, { id: key }, changes);
  }

  /**
   * Removes the run of an experiment by one statement, so that a new one can be added in the same unit of work; its outcomes, its
   * cache, and the explorations that start from it go with it. False when there was none.
   */
  async deleteByExperiment(experimentId: string): Promise<boolean> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('analysis_runs')
      .where('experiment_id', '=', experimentId)
      .returning('id')
      .execute();
    return forget(this.em, AnalysisRun, removed) > 0;
  }

  static readonly signatures = {
    ...rowMethods(AnalysisRun),
    findByExperiment: reads({ experimentId: Key }),
    getByExperiment: reads({ experimentId: Key }),
    findLatestCompletedKey: reads({ experimentId: Key }),
    lock: locks({ key: Key }),
    lockNextPending: locks(),
    updateStatus: writes(
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
