import type { UnitOfWork } from '../../../src/index.ts';

/** A method of a repository that changes a row by one statement. */
export interface RepositoryStep {
  readonly property: string;
  /** Whether it adds to what the row holds; else it writes its value whatever that is. */
  readonly adds: boolean;
  /** `value` is what the property is to hold where it does not add, `token` what it adds where it does. */
  readonly run: (uow: UnitOfWork, key: never, value: never, token: number) => Promise<unknown>;
}

/** By entity. Those that are not here have no such method. */
export const repositorySteps: Readonly<Record<string, RepositoryStep>> = {
  AnalysisCache: {
    property: 'data',
    adds: false,
    run: (uow, [analysis, cacheKey]: readonly [string, string], value: object) =>
      uow.analysisCache.saveEntry<string>(analysis, cacheKey, { ...value }),
  },
  AnalysisRun: {
    property: 'totalSynths',
    adds: false,
    run: (uow, key: string, totalSynths: number) =>
      uow.analysisRuns.saveStatus(key, 'running', { totalSynths }),
  },
  Exploration: {
    property: 'totalLlmCalls',
    adds: true,
    run: (uow, key: string, _, token) => uow.explorations.recordLlmCalls(key, token),
  },
  ResearchExecution: {
    property: 'successfulCount',
    adds: true,
    run: (uow, key: string, _, token) => uow.researchExecutions.recordInterviews(key, { successful: token }),
  },
  ScenarioNode: {
    property: 'executionTimeSeconds',
    adds: false,
    run: (uow, key: string, value: number) => uow.scenarioNodes.saveSimulation(key, null, value),
  },
  Synth: {
    property: 'avatarPath',
    adds: false,
    run: (uow, key: string, value: string) => uow.synths.saveAvatarPath(key, value),
  },
};
