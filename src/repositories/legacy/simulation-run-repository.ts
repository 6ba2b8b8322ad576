import { runStatuses } from '../../entities/analysis-run.ts';
import { deletedOption, type DeletedOption } from '../signatures/deleted-option.ts';
import type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  StreamRequest,
} from '../read-model/page.ts';
import type { RowStream } from '../read-model/row-stream.ts';
import { readModel, type ShownBy } from '../read-model/read-model.ts';
import { LegacyReader } from './legacy-reader.ts';
import { analysisOf, simulatedOutcomes, type SimulatedOutcome } from './simulated-outcome.ts';
import {
  fields,
  Key,
  oneOf,
  optional,
  pageOf,
  cursorOf,
  streamOf,
  type FieldChecks,
  reads,
  streams,
  type Signatures,
} from '../signatures/index.ts';

export type * from './simulated-outcome.ts';

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
 * A legacy simulation as stored.
 *
 * @deprecated Kept for its stored data.
 */
export type SimulationRunRow = ShownBy<typeof simulations>;

export type SimulationStatus = (typeof runStatuses)[number];

/**
 * Filters of legacy simulations, combined with `and`. `experimentId` selects those of the experiment's scorecards. Without `scorecardId` and
 * `experimentId`, those of deleted experiments are hidden unless `deleted` is `included`.
 *
 * @deprecated Kept for its stored data.
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
 * Simulations of legacy scorecards. Read-only.
 *
 * @deprecated Kept for its stored data; use `AnalysisRunRepository`.
 */
export class SimulationRunRepository extends LegacyReader {
  /**
   * Returns the simulation with this key; null if none exists.
   *
   * @deprecated Kept for its stored data.
   */
  findRow(key: string): Promise<SimulationRunRow | null> {
    return this.read(simulations).find(key, { deleted: 'included' });
  }

  /**
   * Returns the simulation with this key.
   *
   * @deprecated Kept for its stored data.
   * @throws NotFoundError if it does not exist.
   */
  getRow(key: string): Promise<SimulationRunRow> {
    return this.read(simulations).get(key, { deleted: 'included' });
  }

  /**
   * Returns an offset page of simulations, latest started first by default.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  page<Total extends PageTotal = 'exact'>(
    request: PageRequest<'startedAt', Total> & SimulationRunFilter = {},
  ): Promise<Page<SimulationRunRow, Total>> {
    return this.read(simulations).page(includeGivenParent(request));
  }

  /**
   * Returns a cursor page of simulations, latest started first by default. A cursor requires the same filter.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  scroll(
    request: CursorRequest<'startedAt'> & SimulationRunFilter = {},
  ): Promise<CursorPage<SimulationRunRow>> {
    return this.read(simulations).scroll(includeGivenParent(request));
  }

  /**
   * Returns a stream of all simulations, latest started first by default.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  stream(request: StreamRequest<'startedAt'> & SimulationRunFilter = {}): RowStream<SimulationRunRow> {
    return this.read(simulations).stream(includeGivenParent(request));
  }

  /**
   * Returns the number of simulations.
   *
   * @deprecated Kept for its stored data.
   */
  count(filter: SimulationRunFilter = {}): Promise<number> {
    return this.read(simulations).count(includeGivenParent(filter));
  }

  /**
   * Returns an offset page of the outcomes of a simulation, by synth, ascending by default. It is empty for a simulation that does not exist.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  pageOutcomes<Total extends PageTotal = 'exact'>(
    simulationId: string,
    request: PageRequest<'synthId', Total> = {},
  ): Promise<Page<SimulatedOutcome, Total>> {
    return this.read(simulatedOutcomes).page({ ...request, analysis: analysisOf(simulationId) });
  }

  /**
   * Returns a cursor page of the outcomes of a simulation, by synth, ascending by default. It is empty for a simulation that does not exist.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  scrollOutcomes(
    simulationId: string,
    request: CursorRequest<'synthId'> = {},
  ): Promise<CursorPage<SimulatedOutcome>> {
    return this.read(simulatedOutcomes).scroll({ ...request, analysis: analysisOf(simulationId) });
  }

  /**
   * Returns a stream of all outcomes of a simulation, by synth, ascending by default. It has none if the simulation does not exist.
   *
   * @deprecated Kept for its stored data.
   * @throws InvalidPageError
   */
  streamOutcomes(simulationId: string, request: StreamRequest<'synthId'> = {}): RowStream<SimulatedOutcome> {
    return this.read(simulatedOutcomes).stream({ ...request, analysis: analysisOf(simulationId) });
  }

  static readonly signatures = {
    findRow: reads({ key: Key }),
    getRow: reads({ key: Key }),
    page: reads({
      request: pageOf(simulations, filterFields),
    }),
    scroll: reads({
      request: cursorOf(simulations, filterFields),
    }),
    stream: streams({ request: streamOf(simulations, filterFields) }),
    count: reads({ filter: optional(fields<SimulationRunFilter>(filterFields)) }),
    pageOutcomes: reads({ simulationId: Key }, { request: pageOf(simulatedOutcomes) }),
    scrollOutcomes: reads({ simulationId: Key }, { request: cursorOf(simulatedOutcomes) }),
    streamOutcomes: streams({ simulationId: Key }, { request: streamOf(simulatedOutcomes) }),
  } satisfies Signatures<SimulationRunRepository>;
}

// A filter by experiment or scorecard includes a deleted experiment.
function includeGivenParent<Request extends SimulationRunFilter>(request: Request): Request & DeletedOption {
  const { scorecardId, experimentId } = request;
  return scorecardId === undefined && experimentId === undefined
    ? request
    : { ...request, deleted: 'included' };
}
