import type { EntityManager, Kysely } from '@mikro-orm/postgresql';
import { Experiment, Scorecard } from '../entities/experiment.ts';
import type { Tables } from '../entities/tables.ts';
import { checkDocument } from '../json/check-shape.ts';
import { deletedOption, type DeletedOption } from './deleted-option.ts';
import { exactInstant, instant, instantColumn, nullableInstantColumn } from './exact-columns.ts';
import { checkedPage, type Page, type PageRequest, type CursorPage, type CursorRequest } from './page.ts';
import { readPage, startOf, toCursorPage } from './read-page.ts';
import { Repository } from './repository.ts';
import { statement } from './statement.ts';
import {
  document,
  fields,
  Key,
  nullable,
  optional,
  pageRequest,
  rowMethods,
  cursorRequest,
  Text,
  reads,
  stages,
  writes,
  type Signatures,
} from './signatures/index.ts';

/** An experiment as lists show it, with what it already has. */
export interface ExperimentSummary {
  readonly id: string;
  readonly name: string;
  readonly hypothesis: string;
  readonly description: string | null;
  readonly hasScorecard: boolean;
  readonly hasAnalysis: boolean;
  readonly hasInterviewGuide: boolean;
  readonly interviewCount: number;
  readonly createdAt: Date;
  readonly updatedAt: Date | null;
}

/** What of an experiment is to be changed. */
export interface ExperimentChanges {
  readonly name?: string | undefined;
  readonly hypothesis?: string | undefined;
  readonly description?: string | null | undefined;
}

const sortKeys = ['createdAt', 'updatedAt', 'name'] as const;
const sortColumns = { createdAt: 'created_at', updatedAt: 'updated_at', name: 'name' } as const;

/** Product hypotheses under test. A deleted one is hidden from every read, unless asked for. */
export class ExperimentRepository extends Repository<Experiment> {
  constructor(em: EntityManager) {
    super(em, Experiment);
  }

  /** The experiment with this key, to be changed; null when there is none, or it is deleted. */
  override async find(key: string, { deleted = 'hidden' }: DeletedOption = {}): Promise<Experiment | null> {
    const found = await super.find(key);
    return found?.status === 'deleted' && deleted === 'hidden' ? null : found;
  }

  /**
   * The experiment with this key, to be changed.
   *
   * @throws NotFoundError when there is none, or it is deleted.
   */
  override async get(key: string, option: DeletedOption = {}): Promise<Experiment> {
    return this.must(await this.find(key, option), key);
  }

  /**
   * What lists show of one experiment.
   *
   * @throws NotFoundError when there is none, or it is deleted and that was not asked for.
   */
  async getSummary(key: string, option: DeletedOption = {}): Promise<ExperimentSummary> {
    const db = await this.rows();
    const { rows } = await db.executeQuery(summaryByKey(db, { key }, { deleted: option.deleted }));
    return toSummary(this.must(rows[0], key));
  }

  /**
   * Summaries by page, newest first unless sorted otherwise (`createdAt`, `updatedAt`, `name`; null last).
   *
   * @throws InvalidPageError
   */
  async pageSummaries(
    request: PageRequest<(typeof sortKeys)[number]> & DeletedOption = {},
  ): Promise<Page<ExperimentSummary>> {
    const page = checkedPage(request, sortKeys);
    const db = await this.rows();
    const { sortBy, sortOrder } = page;
    const counted = experimentsOf(db, request).select(({ fn }) => fn.countAll().as('total'));
    const list = summariesByPage(db, page, { sortBy, sortOrder, deleted: request.deleted });
    return readPage(db, counted.compile(), list, page, toSummary);
  }

  /**
   * Summaries newest first, from a cursor on; each page costs the same however far in. A cursor goes on with the same `deleted`
   * only.
   *
   * @throws InvalidPageError
   */
  async scrollSummaries(request: CursorRequest & DeletedOption = {}): Promise<CursorPage<ExperimentSummary>> {
    const name = request.deleted === 'included' ? 'experiments, deleted included' : 'experiments';
    const { from, first } = startOf(name, request);
    let list = summaries(experimentsOf(await this.rows(), request))
      .orderBy('created_at', 'desc')
      .orderBy('id', 'desc')
      .limit(first + 1);
    if (from)
      list = list.where((eb) => eb(eb.refTuple('created_at', 'id'), '<', eb.tuple(from.at, from.key)));
    const rows = await list.execute();
    return toCursorPage(
      name,
      rows,
      first,
      (row) => ({ at: exactInstant(row.created_at_hex), key: row.id }),
      toSummary,
    );
  }

  /**
   * Changes what is given; an absent field stays as it is, a null description is cleared.
   *
   * @throws NotFoundError when there is none, or it is deleted.
   */
  async revise(key: string, changes: ExperimentChanges): Promise<Experiment> {
    const experiment = await this.get(key);
    if (changes.name !== undefined) experiment.name = changes.name;
    if (changes.hypothesis !== undefined) experiment.hypothesis = changes.hypothesis;
    if (changes.description !== undefined) experiment.description = changes.description;
    return experiment;
  }

  /**
   * Replaces the scorecard, or clears it with null, by one statement.
   *
   * @throws NotFoundError when there is none, or it is deleted; InvalidJsonError.
   */
  async saveScorecard(key: string, scorecard: Scorecard | null): Promise<void> {
    if (scorecard !== null) checkDocument('experiments.scorecard_data', Scorecard, scorecard);
    await this.change(key, { id: key, status: 'active' }, { scorecardData: scorecard });
  }

  /**
   * Hides the experiment from every read; its row and its children stay.
   *
   * @throws NotFoundError when there is none, or it is deleted already.
   */
  async softDelete(key: string): Promise<void> {
    await this.change(key, { id: key, status: 'active' }, { status: 'deleted' });
  }

  /**
   * Takes a soft delete back. Does nothing to an experiment that is not deleted.
   *
   * @throws NotFoundError when there is none.
   */
  async restore(key: string): Promise<void> {
    this.mustBeInTransaction();
    const experiment = await this.get(key, { deleted: 'included' });
    if (experiment.status === 'deleted')
      await this.change(key, { id: key, status: 'deleted' }, { status: 'active' });
  }

  static readonly signatures = {
    ...rowMethods(Experiment),
    find: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    get: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    getSummary: reads({ key: Key }, { option: optional(fields<DeletedOption>(deletedOption)) }),
    pageSummaries: reads({
      request: optional(
        fields<PageRequest<(typeof sortKeys)[number]> & DeletedOption>({
          ...pageRequest(sortKeys),
          ...deletedOption,
        }),
      ),
    }),
    scrollSummaries: reads({
      request: optional(fields<CursorRequest & DeletedOption>({ ...cursorRequest, ...deletedOption })),
    }),
    revise: stages(
      { key: Key },
      {
        changes: fields<ExperimentChanges>({
          name: optional(Text),
          hypothesis: optional(Text),
          description: optional(nullable(Text)),
        }),
      },
    ),
    saveScorecard: writes({ key: Key }, { scorecard: nullable(document<Scorecard>()) }),
    softDelete: writes({ key: Key }),
    restore: writes({ key: Key }),
  } satisfies Signatures<ExperimentRepository>;
}

/** The experiments that `deleted` lets see: in no order, not limited, no column chosen. */
function experimentsOf(db: Kysely<Tables>, { deleted }: DeletedOption) {
  const experiments = db.selectFrom('experiments');
  return deleted === 'included' ? experiments : experiments.where('status', '=', 'active');
}

function summaries(experiments: ReturnType<typeof experimentsOf>) {
  return experiments
    .select((eb) => [
      'id',
      'name',
      'hypothesis',
      'description',
      eb('scorecard_data', 'is not', null).as('has_scorecard'),
      eb
        .exists(eb.selectFrom('analysis_runs').select('id').whereRef('experiment_id', '=', 'experiments.id'))
        .as('has_analysis'),
      eb
        .exists(
          eb
            .selectFrom('interview_guide')
            .select('experiment_id')
            .whereRef('experiment_id', '=', 'experiments.id'),
        )
        .as('has_interview_guide'),
      eb
        .selectFrom('research_executions')
        .select((count) => count.cast<number>(count.fn.countAll(), 'integer').as('count'))
        .whereRef('experiment_id', '=', 'experiments.id')
        .as('interview_count'),
    ])
    .select([instantColumn('created_at'), nullableInstantColumn('updated_at')]);
}

const summaryByKey = statement((db, { key }: { key: string }, option: DeletedOption) =>
  summaries(experimentsOf(db, option)).where('id', '=', key),
);

const summariesByPage = statement(
  (
    db,
    { limit, offset }: { limit: number; offset: number },
    form: DeletedOption & { sortBy: (typeof sortKeys)[number]; sortOrder: 'asc' | 'desc' },
  ) =>
    summaries(experimentsOf(db, form))
      // Nulls last where there can be some; elsewhere it would keep the planner off the index.
      .orderBy(sortColumns[form.sortBy], (order) => {
        const directed = form.sortOrder === 'asc' ? order.asc() : order.desc();
        return form.sortBy === 'updatedAt' ? directed.nullsLast() : directed;
      })
      .orderBy('id', form.sortOrder)
      .limit(limit)
      .offset(offset),
);

type SummaryRow = Awaited<ReturnType<ReturnType<typeof summaries>['execute']>>[number];

function toSummary(row: SummaryRow): ExperimentSummary {
  return {
    id: row.id,
    name: row.name,
    hypothesis: row.hypothesis,
    description: row.description,
    hasScorecard: Boolean(row.has_scorecard),
    hasAnalysis: Boolean(row.has_analysis),
    hasInterviewGuide: Boolean(row.has_interview_guide),
    interviewCount: row.interview_count ?? 0,
    createdAt: instant(row.created_at_hex),
    updatedAt: instant(row.updated_at_hex),
  };
}
