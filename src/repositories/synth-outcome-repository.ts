import type { EntityManager } from '@mikro-orm/postgresql';
import { sql } from 'kysely';
import { AnalysisRun } from '../entities/analysis-run.ts';
import { SynthOutcome } from '../entities/synth-outcome.ts';
import { SimulationAttributes } from '../entities/synth.ts';
import { NotFoundError } from '../errors.ts';
import { checkDocuments, type CheckedDocument } from '../json/check-shape.ts';
import { deletedOption, type DeletedOption } from './signatures/deleted-option.ts';
import { forget } from './forget.ts';
import { mintKey } from './mint-key.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from './read-model/page.ts';
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
  pageRequest,
  rowMethods,
  cursorRequest,
  reads,
  writes,
  type Signatures,
} from './signatures/index.ts';

/**
 * How synths fared in analysis runs. An outcome outlives its synth, and is read with its own key, with or without attributes. Those
 * of a run are read by its key, whether or not its experiment is deleted.
 */
export class SynthOutcomeRepository extends Repository<SynthOutcome> {
  constructor(em: EntityManager) {
    super(em, SynthOutcome);
  }

  /** The outcome of a synth in a run, to be modified; null if none exists. */
  findBySynth(analysisId: string, synthId: string): Promise<SynthOutcome | null> {
    return this.one({ analysis: analysisId, synthId });
  }

  /**
   * The outcome of a synth in the run that was completed last of those it took part in (of equal ones, the largest key of a run);
   * null when it took part in none that is completed. Runs without a time of completion come last; those of deleted experiments are
   * left out, unless asked for.
   */
  async findLatestSummary(
    synthId: string,
    { deleted = 'hidden' }: DeletedOption = {},
  ): Promise<LatestOutcome | null> {
    const [latest] = await this.ask(latestOutcomes).query(
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

  /**
   * All outcomes of a run, in the order of its synths. A run has 10,000 synths at most.
   */
  listSummaries(analysisId: string): Promise<OutcomeSummary[]> {
    return this.ask(outcomeSummaries).list({ analysis: analysisId });
  }

  /**
   * The outcomes of a run by cursor page, sorted as pages are.
   *
   * @throws InvalidPageError
   */
  scrollSummaries(
    analysisId: string,
    request: CursorRequest<OutcomeSortKey> = {},
  ): Promise<CursorPage<OutcomeSummary>> {
    return this.ask(outcomeSummaries).scroll({ ...request, analysis: analysisId });
  }

  /**
   * The outcomes of a run by page, in the order of its synths by default (`synthId`, `didNotTryRate`, `failedRate`,
   * `successRate`; ascending by default).
   *
   * @throws InvalidPageError
   */
  pageSummaries(
    analysisId: string,
    request: PageRequest<OutcomeSortKey> = {},
  ): Promise<Page<OutcomeSummary>> {
    return this.ask(outcomeSummaries).page({ ...request, analysis: analysisId });
  }

  /** How many outcomes a run has. */
  count(analysisId: string): Promise<number> {
    return this.ask(outcomeSummaries).count({ analysis: analysisId });
  }

  /** Means over the outcomes of a run; null when it has none. */
  async findStatistics(analysisId: string): Promise<OutcomeStatistics | null> {
    const db = await this.rows();
    return toStatistics(await statistics(db, analysisId).executeTakeFirstOrThrow());
  }

  /**
   * Stores the outcomes of a run, any number of them, and gives of how many synths. An outcome that the run already has of a synth
   * is replaced, but for its key; of several of one synth the last counts; outcomes of other synths stay. Others that save outcomes
   * of this run wait.
   *
   * @throws NotFoundError when there is no such run; InvalidJsonError, its paths begin with the outcome's place in the call.
   */
  async saveAll(analysisId: string, outcomesOfSynths: readonly NewOutcome[]): Promise<number> {
    const attributes = checkDocuments(
      'synth_outcomes.synth_attributes',
      SimulationAttributes,
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
    // It had outcomes before, or another transaction added one meanwhile.
    if (!copied)
      await this.#upsert(
        [...bySynth.values()].map(({ outcome }) => this.#rowOf(analysisId, outcome, outcome.synthAttributes)),
      );
    return bySynth.size;
  }

  /** Removes every outcome of a run by one statement, and gives how many. */
  async deleteByAnalysis(analysisId: string): Promise<number> {
    const db = await this.writing();
    const removed = await db
      .deleteFrom('synth_outcomes')
      .where('analysis_id', '=', analysisId)
      .returning('id')
      .execute();
    return forget(this.em, SynthOutcome, removed);
  }

  /** Holds the run, so that those who save its outcomes at once can't lock each other out. Gives whether it has outcomes already. */
  async #lockRun(analysisId: string): Promise<boolean> {
    const db = await this.writing();
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
    await upsertOutcomes(await this.writing(), rows).execute();
    const synths = new Set(rows.map((row) => row.synth_id));
    const stale: string[] = [];
    for (const entity of this.em.getUnitOfWork().getIdentityMap().values()) {
      if (entity instanceof SynthOutcome && synths.has(entity.synthId)) stale.push(entity.id);
    }
    if (stale.length > 0) await this.em.find(SynthOutcome, { id: { $in: stale } }, { refresh: true });
  }

  // Made one by one, while those before are on their way.
  *#rowsToCopy(
    analysisId: string,
    outcomes: Iterable<{ readonly outcome: NewOutcome; readonly checked: CheckedDocument | null }>,
  ) {
    for (const { outcome, checked } of outcomes) yield this.#rowOf(analysisId, outcome, checked);
  }

  #rowOf<Attributes>(analysisId: string, outcome: NewOutcome, attributes: Attributes) {
    return {
      id: outcome.id ?? mintKey(this.em, SynthOutcome),
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
    scrollSummaries: reads(
      { analysisId: Key },
      { request: optional(fields<CursorRequest<OutcomeSortKey>>(cursorRequest(outcomeSummaries.sortKeys))) },
    ),
    pageSummaries: reads(
      { analysisId: Key },
      { request: optional(fields<PageRequest<OutcomeSortKey>>(pageRequest(outcomeSummaries.sortKeys))) },
    ),
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
