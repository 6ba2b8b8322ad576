import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { AnalysisRun } from '../entities/analysis-run.ts';
import { shapes } from '../entities/load-shapes.ts';
import { SynthOutcome } from '../entities/synth-outcome.ts';
import type { SimulationAttributes } from '../entities/shapes.ts';
import { NotFoundError } from '../errors.ts';
import { checkDocuments, type CheckedDocument } from '../json/check-shape.ts';
import { deletedOption, type DeletedOption } from './signatures/deleted-option.ts';
import { detachDeleted } from './detach-deleted.ts';
import { generateKey } from './generate-key.ts';
import type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from './read-model/page.ts';
import type { RowStream } from './read-model/row-stream.ts';
import { Repository } from './repository.ts';
import { copyRows } from '../postgres/copy/copy-rows.ts';
import {
  copiedColumns,
  latestOutcomes,
  outcomeSummaries,
  statistics,
  toStatistics,
  upsertOutcomes,
  type LatestOutcome,
  type NewOutcome,
  type OutcomeRow,
  type OutcomeSortKey,
  type OutcomeStatistics,
  type OutcomeSummary,
} from './synth-outcome-summary.ts';
import {
  document,
  fields,
  Key,
  arrayOf,
  nullable,
  FiniteNumber,
  optional,
  pageOf,
  rowMethods,
  cursorOf,
  streamOf,
  reads,
  streams,
  writes,
  type Signatures,
} from './signatures/index.ts';

export type * from './synth-outcome-summary.ts';

/**
 * Outcomes of synths in analysis runs. An outcome stays when its synth is deleted. The outcomes of a run are returned by its key, whether or
 * not its experiment is deleted.
 */
export class SynthOutcomeRepository extends Repository<SynthOutcome> {
  constructor(em: EntityManager) {
    super(em, SynthOutcome);
  }

  /** Returns the outcome of a synth in a run, to be modified; null if none exists. */
  findBySynth(analysisId: string, synthId: string): Promise<SynthOutcome | null> {
    return this.findOne({ analysis: analysisId, synthId });
  }

  /**
   * Returns the outcome of a synth in its latest completed run; null if it has none. Of runs completed at the same time, the one with the
   * largest key counts; runs without a completion time come last. Runs of deleted experiments are hidden unless `deleted` is `included`.
   */
  async findLatestSummary(
    synthId: string,
    { deleted = 'hidden' }: DeletedOption = {},
  ): Promise<LatestOutcome | null> {
    const [latest] = await this.read(latestOutcomes).select(
      (columns) => sql`
        select ${columns}
        from synth_outcomes
          join analysis_runs on analysis_runs.id = synth_outcomes.analysis_id
          join experiments on experiments.id = analysis_runs.experiment_id
        where synth_outcomes.synth_id = ${synthId} and analysis_runs.status = 'completed'
          ${deleted === 'hidden' ? sql`and experiments.status = 'active'` : sql``}
        order by analysis_runs.completed_at desc nulls last, analysis_runs.id desc
        limit 1`,
    );
    return latest ?? null;
  }

  /** Returns all outcomes of a run, ordered by synth. A run has 10,000 synths at most. */
  listSummaries(analysisId: string): Promise<OutcomeSummary[]> {
    return this.read(outcomeSummaries).list({ analysis: analysisId });
  }

  /**
   * Returns a cursor page of the outcomes of a run, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    analysisId: string,
    request: CursorRequest<OutcomeSortKey> = {},
  ): Promise<CursorPage<OutcomeSummary>> {
    return this.read(outcomeSummaries).scroll({ ...request, analysis: analysisId });
  }

  /**
   * Returns an offset page of the outcomes of a run, by `synthId` ascending by default (`synthId`, `didNotTryRate`, `failedRate`,
   * `successRate`).
   *
   * @throws InvalidPageError
   */
  pageSummaries<Total extends PageTotal = 'exact'>(
    analysisId: string,
    request: PageRequest<OutcomeSortKey, Total> = {},
  ): Promise<Page<OutcomeSummary, Total>> {
    return this.read(outcomeSummaries).page({ ...request, analysis: analysisId });
  }

  /**
   * Returns a stream of all outcomes of a run, sorted as offset pages are.
   *
   * @throws InvalidPageError
   */
  streamSummaries(
    analysisId: string,
    request: StreamRequest<OutcomeSortKey> = {},
  ): RowStream<OutcomeSummary> {
    return this.read(outcomeSummaries).stream({ ...request, analysis: analysisId });
  }

  /** Returns the number of outcomes of a run. */
  count(analysisId: string): Promise<number> {
    return this.read(outcomeSummaries).count({ analysis: analysisId });
  }

  /** Returns the means over the outcomes of a run; null when it has none. */
  async findStatistics(analysisId: string): Promise<OutcomeStatistics | null> {
    const db = await this.queryForRead();
    return toStatistics(await statistics(db, analysisId).executeTakeFirstOrThrow());
  }

  /**
   * Inserts or replaces any number of outcomes of a run, and returns the number of their synths. A replaced outcome keeps its key; of several
   * for one synth the last counts; outcomes of other synths stay. Concurrent calls for the same run wait for each other.
   *
   * @throws NotFoundError if the run does not exist; InvalidJsonError when attributes have the wrong shape: its paths begin with the index of
   * the outcome.
   */
  async saveAll(analysisId: string, outcomesOfSynths: readonly NewOutcome[]): Promise<number> {
    const attributes = checkDocuments(
      'synth_outcomes.synth_attributes',
      shapes().SimulationAttributes,
      outcomesOfSynths.map(({ synthAttributes }) => synthAttributes),
    );
    const bySynth = new Map(
      outcomesOfSynths.map((outcome, index) => [
        outcome.synthId,
        { outcome, checked: attributes[index] ?? null },
      ]),
    );
    if (bySynth.size === 0) return 0;
    const rows = this.#rowsToCopy(analysisId, bySynth.values());
    const copied =
      !(await this.#lockRun(analysisId)) && (await copyRows(this.em, 'synth_outcomes', copiedColumns, rows));
    // The run had outcomes, or another transaction added one meanwhile.
    if (!copied)
      await this.#upsert(
        [...bySynth.values()].map(({ outcome }) => this.#rowOf(analysisId, outcome, outcome.synthAttributes)),
      );
    return bySynth.size;
  }

  /** Deletes every outcome of a run, by one statement, and returns their number. */
  async deleteByAnalysis(analysisId: string): Promise<number> {
    const db = await this.queryForWrite();
    const deleted = await db
      .deleteFrom('synth_outcomes')
      .where('analysis_id', '=', analysisId)
      .returning('id')
      .execute();
    return detachDeleted(this.em, SynthOutcome, deleted);
  }

  /** Locks the run, so that concurrent calls for it wait and never deadlock. Returns whether it has outcomes. */
  async #lockRun(analysisId: string): Promise<boolean> {
    const db = await this.queryForWrite();
    const run = await db
      .selectFrom('analysis_runs')
      .select((eb) =>
        eb
          .exists(
            eb
              .selectFrom('synth_outcomes')
              .select('id')
              .whereRef('synth_outcomes.analysis_id', '=', 'analysis_runs.id'),
          )
          .as('has_outcomes'),
      )
      .where('id', '=', analysisId)
      .forNoKeyUpdate()
      .executeTakeFirst();
    if (!run) throw new NotFoundError(AnalysisRun.name, analysisId);
    return Boolean(run.has_outcomes);
  }

  async #upsert(rows: readonly OutcomeRow[]): Promise<void> {
    await upsertOutcomes(await this.queryForWrite(), rows).execute();
    const synths = new Set(rows.map((row) => row.synth_id));
    const stale: string[] = [];
    for (const entity of this.em.getUnitOfWork().getIdentityMap().values()) {
      if (entity instanceof SynthOutcome && synths.has(entity.synthId)) stale.push(entity.id);
    }
    if (stale.length > 0) await this.em.find(SynthOutcome, { id: { $in: stale } }, { refresh: true });
  }

  // A generator: each row is built while those before it are being sent.
  *#rowsToCopy(
    analysisId: string,
    outcomes: Iterable<{ readonly outcome: NewOutcome; readonly checked: CheckedDocument | null }>,
  ) {
    for (const { outcome, checked } of outcomes) yield this.#rowOf(analysisId, outcome, checked);
  }

  #rowOf<Attributes>(analysisId: string, outcome: NewOutcome, attributes: Attributes) {
    return {
      id: outcome.id ?? generateKey(this.em, SynthOutcome),
      analysis_id: analysisId,
      synth_id: outcome.synthId,
      did_not_try_rate: outcome.didNotTryRate,
      failed_rate: outcome.failedRate,
      success_rate: outcome.successRate,
      synth_attributes: attributes,
    };
  }

  static readonly signatures = {
    ...rowMethods(SynthOutcome),
    findBySynth: reads({ analysisId: Key }, { synthId: Key }),
    findLatestSummary: reads({ synthId: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    listSummaries: reads({ analysisId: Key }),
    scrollSummaries: reads({ analysisId: Key }, { request: cursorOf(outcomeSummaries) }),
    pageSummaries: reads({ analysisId: Key }, { request: pageOf(outcomeSummaries) }),
    streamSummaries: streams({ analysisId: Key }, { request: streamOf(outcomeSummaries) }),
    count: reads({ analysisId: Key }),
    findStatistics: reads({ analysisId: Key }),
    saveAll: writes(
      { analysisId: Key },
      {
        outcomesOfSynths: arrayOf(
          fields<NewOutcome>({
            id: optional(Key),
            synthId: Key,
            didNotTryRate: FiniteNumber,
            failedRate: FiniteNumber,
            successRate: FiniteNumber,
            synthAttributes: nullable(document<SimulationAttributes>()),
          }),
        ),
      },
    ),
    deleteByAnalysis: writes({ analysisId: Key }),
  } satisfies Signatures<SynthOutcomeRepository>;
}
