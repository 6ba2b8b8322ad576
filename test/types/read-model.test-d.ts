// Compiled by `tsc`, never run: each mistake below must stay a compile error.
import type { EntityManager } from '@mikro-orm/postgresql';
import { explorationSummaries, type ExplorationSummary } from '../../src/repositories/exploration-summary.ts';
import type { ExperimentSummary } from '../../src/repositories/index.ts';
import { ReadModelReader } from '../../src/repositories/read-model/read-model-reader.ts';
import { extended, readModel } from '../../src/repositories/read-model/read-model.ts';
import { synthSummaries } from '../../src/repositories/synth-summary.ts';

const list = { from: 'synths', select: { id: 'id' }, sorts: { id: 'id' } } as const;
// @ts-expect-error -- no such column
export const noColumn = () => readModel({ ...list, select: { id: 'id', name: 'name' } });
// @ts-expect-error -- no such sort column
export const noSort = () => readModel({ ...list, sorts: { createdAt: 'createdAt' } });
// @ts-expect-error -- no such column in an order of several
export const noOrder = () => readModel({ ...list, sorts: { age: [{ desc: 'createdAt' }] } });
// @ts-expect-error -- no such column to order ties
export const noTie = () => readModel({ ...list, tieBreaker: 'key' });
// @ts-expect-error -- no such filter column
export const noFilter = () => readModel({ ...list, filters: () => ({ group: 'grp' }) });
// @ts-expect-error -- no such parent column
export const noParent = () => readModel({ ...list, filters: (by) => ({ group: by.parent('grp') }) });
// @ts-expect-error -- a column of another table in an expression
export const foreign = () => readModel({ ...list, select: { id: (eb) => eb('topic_name', '=', 'x') } });
export const foreignCondition = () =>
  // @ts-expect-error -- a column of another table in a condition
  readModel({ ...list, filters: (by) => ({ x: by.where((eb, v: string) => eb('topic_name', '=', v)) }) });
export const foreignChoice = () =>
  // @ts-expect-error -- a column of another table in a choice
  readModel({ ...list, filters: (by) => ({ x: by.choice({ a: (eb) => eb('topic_name', '=', 'v') }) }) });
// @ts-expect-error -- no such column in what is added
export const noMore = () => extended(synthSummaries, { more: 'mehr' });
// @ts-expect-error -- no such property of a row
export const noProperty = () => readModel({ ...list, map: (row) => row.name });

export const asked = (em: EntityManager) => {
  const synths = new ReadModelReader(em, synthSummaries);
  // @ts-expect-error -- not a sort key
  void synths.page({ sortBy: 'version' });
  // @ts-expect-error -- not a filter's value
  void synths.page({ group: 1 });
  // @ts-expect-error -- a parent must be given
  void new ReadModelReader(em, explorationSummaries).page({});
};

// Times are dates, conditions booleans, and what may be null is.
export const types = (experiment: ExperimentSummary, exploration: ExplorationSummary) => [
  experiment.createdAt satisfies Date,
  experiment.hasAnalysis satisfies boolean,
  experiment.interviewCount satisfies number,
  exploration.bestSuccessRate satisfies number | null,
  // @ts-expect-error -- it may be null
  exploration.completedAt satisfies Date,
];
