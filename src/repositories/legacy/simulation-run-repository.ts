import type { Kysely } from '@mikro-orm/postgresql';
import { runStatuses } from '../../entities/analysis-run.ts';
import type { SimulationConfig, SimulationOutcomes } from '../../entities/legacy/simulation-run.ts';
import type { Tables } from '../../entities/tables.ts';
import { NotFoundError } from '../../errors.ts';
import { deletedOption, type DeletedOption } from '../deleted-option.ts';
import {
  double,
  exactInstant,
  instant,
  instantColumn,
  nullableDoubleColumn,
  nullableInstantColumn,
} from '../exact-columns.ts';
import { checkedPage, type Page, type PageRequest, type CursorPage, type CursorRequest } from '../page.ts';
import { keyStartOf, readPage, startOf, toCursorPage } from '../read-page.ts';
import { LegacyReader } from './legacy-reader.ts';
import { selectedOutcomesOf, outcomesOf, toOutcome, type SimulatedOutcome } from './simulated-outcome.ts';
import {
  fields,
  Key,
  oneOf,
  optional,
  pageRequest,
  cursorRequest,
  type FieldChecks,
  reads,
  type Signatures,
} from '../signatures/index.ts';

/**
 * A legacy simulation as it was stored.
 *
 * @deprecated Lives on for its data.
 */
export interface SimulationRunRow {
  readonly id: string;
  readonly scorecardId: string;
  readonly scenarioId: string;
  readonly config: SimulationConfig;
  readonly status: SimulationStatus;
  readonly startedAt: Date;
  readonly completedAt: Date | null;
  readonly totalSynths: number;
  readonly aggregatedOutcomes: SimulationOutcomes | null;
  readonly executionTimeSeconds: number | null;
}

export type SimulationStatus = (typeof runStatuses)[number];

/**
 * Which legacy simulations: those that meet all that is given. An experiment's are those of its scorecards. Where neither a
 * scorecard nor an experiment is given, those of deleted experiments are left out, unless asked for.
 *
 * @deprecated Lives on for its data.
 */
export interface SimulationRunFilter extends DeletedOption {
  readonly scorecardId?: string | undefined;
  readonly experimentId?: string | undefined;
  readonly scenarioId?: string | undefined;
  readonly status?: SimulationStatus | undefined;
}

const filterFields: FieldChecks<SimulationRunFilter> = {
  scorecardId: optional(Key),
  experimentId: optional(Key),
  scenarioId: optional(Key),
  status: optional(oneOf(runStatuses)),
  ...deletedOption,
};

/**
 * Simulations of legacy scorecards, to be read and no more.
 *
 * @deprecated Lives on for its data; `AnalysisRunRepository` holds what is simulated now.
 */
export class SimulationRunRepository extends LegacyReader {
  /**
   * The simulation with this key; null when there is none.
   *
   * @deprecated Lives on for its data.
   */
  async findRow(key: string): Promise<SimulationRunRow | null> {
    const row = await selected(await this.rows(), { deleted: 'included' })
      .where('id', '=', key)
      .executeTakeFirst();
    return row ? toRow(row) : null;
  }

  /**
   * The simulation with this key.
   *
   * @deprecated Lives on for its data.
   * @throws NotFoundError when there is none.
   */
  async getRow(key: string): Promise<SimulationRunRow> {
    const found = await this.findRow(key);
    if (!found) throw new NotFoundError('SimulationRun', key);
    return found;
  }

  /**
   * Simulations by page, latest started first unless sorted otherwise.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  async page(request: PageRequest<'startedAt'> & SimulationRunFilter = {}): Promise<Page<SimulationRunRow>> {
    const page = checkedPage(request, ['startedAt']);
    const db = await this.rows();
    const list = selected(db, request)
      .orderBy('started_at', page.sortOrder)
      .orderBy('id', page.sortOrder)
      .limit(page.limit)
      .offset(page.offset);
    const counted = simulations(db, request).select(({ fn }) => fn.countAll().as('total'));
    return readPage(db, counted.compile(), list.compile(), page, toRow);
  }

  /**
   * The simulations that meet all that is given, latest started first, from a cursor on. A cursor goes on with the same filter only.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  async scroll(request: CursorRequest & SimulationRunFilter = {}): Promise<CursorPage<SimulationRunRow>> {
    const { after, first: asked, ...filter } = request;
    const name = `simulation_runs?${JSON.stringify(filter, Object.keys(filter).toSorted())}`;
    const { from, first } = startOf(name, { after, first: asked });
    let rest = selected(await this.rows(), filter);
    if (from)
      rest = rest.where((eb) => eb(eb.refTuple('started_at', 'id'), '<', eb.tuple(from.at, from.key)));
    const rows = await rest
      .orderBy('started_at', 'desc')
      .orderBy('id', 'desc')
      .limit(first + 1)
      .execute();
    return toCursorPage(
      name,
      rows,
      first,
      (row) => ({ at: exactInstant(row.started_at_hex), key: row.id }),
      toRow,
    );
  }

  /**
   * How many simulations there are.
   *
   * @deprecated Lives on for its data.
   */
  async count(filter: SimulationRunFilter = {}): Promise<number> {
    const { count } = await simulations(await this.rows(), filter)
      .select((eb) => eb.cast<number>(eb.fn.countAll(), 'integer').as('count'))
      .executeTakeFirstOrThrow();
    return count;
  }

  /**
   * How a simulation ended for each synth, by page, in the order of the synths' keys, ascending unless told otherwise. A simulation
   * without outcomes, or none, has an empty page.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  async pageOutcomes(
    simulationId: string,
    request: PageRequest<'synthId'> = {},
  ): Promise<Page<SimulatedOutcome>> {
    const page = checkedPage(request, ['synthId'], 'asc');
    const db = await this.rows();
    // A simulation has one outcome at most for a synth: no tie to break.
    const list = selectedOutcomesOf(db, simulationId)
      .orderBy('synth_id', page.sortOrder)
      .limit(page.limit)
      .offset(page.offset);
    const counted = outcomesOf(db, simulationId).select(({ fn }) => fn.countAll().as('total'));
    return readPage(db, counted.compile(), list.compile(), page, toOutcome);
  }

  /**
   * How a simulation ended for each synth, in the order of the synths' keys, from a cursor on. A simulation without outcomes, or
   * none, has an empty list.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  async scrollOutcomes(
    simulationId: string,
    request: CursorRequest = {},
  ): Promise<CursorPage<SimulatedOutcome>> {
    const name = `simulation_runs/outcomes:${simulationId}`;
    const { from, first } = keyStartOf(name, request);
    let rest = selectedOutcomesOf(await this.rows(), simulationId);
    if (from) rest = rest.where('synth_id', '>', from.key);
    const rows = await rest
      .orderBy('synth_id')
      .limit(first + 1)
      .execute();
    return toCursorPage(name, rows, first, (row) => ({ key: row.synth_id }), toOutcome);
  }

  static readonly signatures = {
    findRow: reads({ key: Key }),
    getRow: reads({ key: Key }),
    page: reads({
      request: optional(
        fields<PageRequest<'startedAt'> & SimulationRunFilter>({
          ...pageRequest(['startedAt']),
          ...filterFields,
        }),
      ),
    }),
    scroll: reads({
      request: optional(fields<CursorRequest & SimulationRunFilter>({ ...cursorRequest, ...filterFields })),
    }),
    count: reads({ filter: optional(fields<SimulationRunFilter>(filterFields)) }),
    pageOutcomes: reads(
      { simulationId: Key },
      { request: optional(fields<PageRequest<'synthId'>>(pageRequest(['synthId']))) },
    ),
    scrollOutcomes: reads({ simulationId: Key }, { request: optional(fields<CursorRequest>(cursorRequest)) }),
  } satisfies Signatures<SimulationRunRepository>;
}

function simulations(db: Kysely<Tables>, filter: SimulationRunFilter) {
  const { scorecardId, experimentId, scenarioId, status, deleted } = filter;
  let found = db.selectFrom('simulation_runs');
  if (scorecardId !== undefined) found = found.where('scorecard_id', '=', scorecardId);
  if (scenarioId !== undefined) found = found.where('scenario_id', '=', scenarioId);
  if (status !== undefined) found = found.where('status', '=', status);
  if (experimentId !== undefined) {
    found = found.where('scorecard_id', 'in', (eb) =>
      eb.selectFrom('feature_scorecards').select('id').where('experiment_id', '=', experimentId),
    );
  }
  if (scorecardId === undefined && experimentId === undefined && deleted !== 'included') {
    found = found.where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('feature_scorecards')
            .innerJoin('experiments', 'experiments.id', 'feature_scorecards.experiment_id')
            .select('experiments.id')
            .whereRef('feature_scorecards.id', '=', 'simulation_runs.scorecard_id')
            .where('experiments.status', '=', 'deleted'),
        ),
      ),
    );
  }
  return found;
}

function selected(db: Kysely<Tables>, filter: SimulationRunFilter) {
  return simulations(db, filter).select([
    'id',
    'scorecard_id',
    'scenario_id',
    'config',
    'status',
    instantColumn('started_at'),
    nullableInstantColumn('completed_at'),
    'total_synths',
    'aggregated_outcomes',
    nullableDoubleColumn('execution_time_seconds'),
  ]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selected>['execute']>>[number];

function toRow(row: Row): SimulationRunRow {
  return {
    id: row.id,
    scorecardId: row.scorecard_id,
    scenarioId: row.scenario_id,
    config: row.config,
    status: row.status,
    startedAt: instant(row.started_at_hex),
    completedAt: instant(row.completed_at_hex),
    totalSynths: row.total_synths,
    aggregatedOutcomes: row.aggregated_outcomes,
    executionTimeSeconds: double(row.execution_time_seconds_hex),
  };
}
