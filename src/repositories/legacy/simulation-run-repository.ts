import { runStatuses } from '../../entities/analysis-run.ts';
import { deletedOption, type DeletedOption } from '../signatures/deleted-option.ts';
import type { CursorPage, CursorRequest, Page, PageRequest } from '../read-model/page.ts';
import { readModel, type ShownBy } from '../read-model/read-model.ts';
import { LegacyReader } from './legacy-reader.ts';
import { analysisOf, simulatedOutcomes, type SimulatedOutcome } from './simulated-outcome.ts';
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

const simulations = readModel({
  from: 'simulation_runs',
  select: {
    id: 'id',
    scorecardId: 'scorecard_id',
    scenarioId: 'scenario_id',
    config: 'config',
    status: 'status',
    startedAt: 'started_at',
    completedAt: 'completed_at',
    totalSynths: 'total_synths',
    aggregatedOutcomes: 'aggregated_outcomes',
    executionTimeSeconds: 'execution_time_seconds',
  },
  sorts: { startedAt: 'started_at' },
  filters: (by) => ({
    scorecardId: 'scorecard_id',
    scenarioId: 'scenario_id',
    status: 'status',
    experimentId: by.where((eb, experiment: string) =>
      eb(
        'scorecard_id',
        'in',
        eb.selectFrom('feature_scorecards').select('id').where('experiment_id', '=', experiment),
      ),
    ),
    deleted: by.choice({
      hidden: (eb) =>
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
      included: null,
    }),
  }),
});

/**
 * A legacy simulation as it was stored.
 *
 * @deprecated Lives on for its data.
 */
export type SimulationRunRow = ShownBy<typeof simulations>;

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
   * The simulation with this key; null if none exists.
   *
   * @deprecated Lives on for its data.
   */
  findRow(key: string): Promise<SimulationRunRow | null> {
    return this.ask(simulations).find(key, { deleted: 'included' });
  }

  /**
   * The simulation with this key.
   *
   * @deprecated Lives on for its data.
   * @throws NotFoundError if it does not exist.
   */
  getRow(key: string): Promise<SimulationRunRow> {
    return this.ask(simulations).get(key, { deleted: 'included' });
  }

  /**
   * Simulations by page, latest started first by default.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  page(request: PageRequest<'startedAt'> & SimulationRunFilter = {}): Promise<Page<SimulationRunRow>> {
    return this.ask(simulations).page(narrowed(request));
  }

  /**
   * The simulations that meet all that is given, latest started first, from a cursor on. A cursor goes on with the same filter only.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  scroll(
    request: CursorRequest<'startedAt'> & SimulationRunFilter = {},
  ): Promise<CursorPage<SimulationRunRow>> {
    return this.ask(simulations).scroll(narrowed(request));
  }

  /**
   * How many simulations there are.
   *
   * @deprecated Lives on for its data.
   */
  count(filter: SimulationRunFilter = {}): Promise<number> {
    return this.ask(simulations).count(narrowed(filter));
  }

  /**
   * How a simulation ended for each synth, by page, in the order of the synths' keys, ascending by default. A simulation
   * without outcomes, or none, has an empty page.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  pageOutcomes(simulationId: string, request: PageRequest<'synthId'> = {}): Promise<Page<SimulatedOutcome>> {
    return this.ask(simulatedOutcomes).page({ ...request, analysis: analysisOf(simulationId) });
  }

  /**
   * How a simulation ended for each synth, in the order of the synths' keys, from a cursor on. A simulation without outcomes, or
   * none, has an empty list.
   *
   * @deprecated Lives on for its data.
   * @throws InvalidPageError
   */
  scrollOutcomes(
    simulationId: string,
    request: CursorRequest<'synthId'> = {},
  ): Promise<CursorPage<SimulatedOutcome>> {
    return this.ask(simulatedOutcomes).scroll({ ...request, analysis: analysisOf(simulationId) });
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
      request: optional(
        fields<CursorRequest<'startedAt'> & SimulationRunFilter>({
          ...cursorRequest(['startedAt']),
          ...filterFields,
        }),
      ),
    }),
    count: reads({ filter: optional(fields<SimulationRunFilter>(filterFields)) }),
    pageOutcomes: reads(
      { simulationId: Key },
      { request: optional(fields<PageRequest<'synthId'>>(pageRequest(['synthId']))) },
    ),
    scrollOutcomes: reads(
      { simulationId: Key },
      { request: optional(fields<CursorRequest<'synthId'>>(cursorRequest(['synthId']))) },
    ),
  } satisfies Signatures<SimulationRunRepository>;
}

// A filter by experiment or scorecard includes a deleted experiment.
function narrowed<Request extends SimulationRunFilter>(request: Request): Request & DeletedOption {
  const { scorecardId, experimentId } = request;
  return scorecardId === undefined && experimentId === undefined
    ? request
    : { ...request, deleted: 'included' };
}
