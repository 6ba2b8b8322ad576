import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import type { CursorRequest, PageRequest } from '../../src/index.ts';
import type { World } from './world.ts';

type LastParameter<Method> = Method extends (...given: infer Given) => unknown
  ? Required<Given> extends readonly [...unknown[], infer Last]
    ? NonNullable<Last>
    : unknown
  : unknown;

type RequestOf<Method> = 'after' extends keyof LastParameter<Method>
  ? CursorRequest
  : 'offset' extends keyof LastParameter<Method>
    ? PageRequest<never>
    : object;

type Reads = {
  readonly [Name in keyof ReadingUnitOfWork]?: {
    readonly [Method in keyof ReadingUnitOfWork[Name]]?: (
      repository: ReadingUnitOfWork[Name],
      world: World,
      request: RequestOf<ReadingUnitOfWork[Name][Method]>,
    ) => unknown;
  };
};

/**
 * How reading methods are called, so that they read as many rows as a world has, where their arguments can't be derived from their
 * signatures.
 */
export const reads: Reads = {
  analysisCache: {
    findChartInsight: (cache, { run }) => cache.findChartInsight(run, '0'),
    findExecutiveSummary: (cache, { aside }) => cache.findExecutiveSummary(aside.run),
  },
  scenarioNodes: {
    find: (nodes, { leaf }) => nodes.find(leaf),
    get: (nodes, { leaf }) => nodes.get(leaf),
    getSummary: (nodes, { leaf }) => nodes.getSummary(leaf),
    findWinner: (nodes, { aside }) => nodes.findWinner(aside.exploration),
    listChildren: (nodes, { aside }) => nodes.listChildren(aside.root),
    listPath: (nodes, { leaf }) => nodes.listPath(leaf),
  },
  simulationRuns: {
    page: (runs, { experiment }, request) => runs.page({ experimentId: experiment, ...request }),
    scroll: (runs, { experiment }, request) => runs.scroll({ experimentId: experiment, ...request }),
    count: (runs, { experiment }) => runs.count({ experimentId: experiment }),
    scrollOutcomes: (runs, { simulation }, request) => runs.scrollOutcomes(simulation, request),
    pageOutcomes: (runs, { simulation }, request) => runs.pageOutcomes(simulation, request),
  },
  synths: {
    pageSummaries: (synths, { group }, request) => synths.pageSummaries({ group, ...request }),
    scrollSummaries: (synths, { group }, request) => synths.scrollSummaries({ group, ...request }),
    scrollDetails: (synths, { group }, request) => synths.scrollDetails({ group, ...request }),
    count: (synths, { group }) => synths.count({ group }),
    getExtremeCases: (synths, { aside, size }) => synths.getExtremeCases(aside.experiment, size),
    listForSimulation: (synths, { experiment }) => synths.listForSimulation(experiment),
  },
  transcripts: {
    getDetail: (transcripts, world) => transcripts.getDetail(world.execution, aSynthOf(world)),
    countTurnsBatch: (transcripts, { executions }) => transcripts.countTurnsBatch(executions),
  },
};

/** What reads another number of rows than a world has. */
export const otherRows: Readonly<Record<string, number | undefined>> = {
  // An experiment has one of each type at most.
  'experimentDocuments.listSummaries': 2,
};

/** What is known without the database. */
export const withoutStatement: readonly string[] = ['synths.listFields'];

function aSynthOf({ synths }: World): string {
  return synths[0] ?? '';
}
