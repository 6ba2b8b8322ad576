import type { ReadingUnitOfWork } from '../../src/database/unit-of-work.ts';
import { reads } from './reads.ts';
import type { World } from './world.ts';

/** A reading method, by its name and how it is called. */
export interface ReadCase {
  readonly name: string;
  readonly repository: keyof ReadingUnitOfWork;
  readonly read: (uow: ReadingUnitOfWork, world: World) => unknown;
}

const repositories = [
  'analysisCache',
  'analysisRuns',
  'chartInsights',
  'experimentDocuments',
  'experiments',
  'explorations',
  'featureScorecards',
  'interviewGuides',
  'regionAnalyses',
  'researchExecutions',
  'scenarioNodes',
  'sensitivityResults',
  'simulationRuns',
  'synthGroups',
  'synthOutcomes',
  'synths',
  'transcripts',
] as const;

/** Every reading method of every repository. */
export const readCases: readonly ReadCase[] = repositories.flatMap(casesOf);

function casesOf(repository: (typeof repositories)[number]): ReadCase[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each takes the repository that `uow` has under its name
  const methods = reads[repository] as Record<string, (repository: unknown, world: World) => unknown>;
  return Object.entries(methods).map(([method, read]) => ({
    name: `${repository}.${method}`,
    repository,
    read: (uow, world) => read(uow[repository], world),
  }));
}
