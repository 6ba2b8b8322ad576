import { randomUUID } from 'node:crypto';
import { attributes, seeded } from '../seed.ts';

/** The rows that the tasks write. */
export const nodeKeys = Array.from({ length: 200 }, (_, i) => `node_bench_${String(i + 1).padStart(4, '0')}`);

export function newExperiment() {
  return {
    id: `exp_${randomUUID()}`,
    name: 'n',
    hypothesis: 'h',
    description: 'd',
    createdAt: new Date(),
  };
}

export function newOutcomes() {
  return Array.from({ length: 5_000 }, (_, i) => ({
    id: `out_${randomUUID()}`,
    analysisId: seeded.bulk,
    synthId: `syn_${String(i).padStart(5, '0')}`,
    didNotTryRate: 0.2,
    failedRate: 0.3,
    successRate: 0.5,
    synthAttributes: attributes,
  }));
}

/** Splits rows into parts, as the limit of a statement's parameters (65,535) requires. */
export function parts<T>(rows: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, i) =>
    rows.slice(i * size, (i + 1) * size),
  );
}

/** The summary of an experiment, as in bench/workloads.ts. */
export const summary = `select id, name, hypothesis, description, scorecard_data is not null as has_scorecard,
  exists (select from analysis_runs where experiment_id = experiments.id) as has_analysis,
  exists (select from interview_guide where experiment_id = experiments.id) as has_interview_guide,
  (select count(*)::int from research_executions where experiment_id = experiments.id) as interview_count,
  created_at, updated_at from experiments`;

export const summaryPage = `select counted.total, page.* from (select count(*) as total from experiments where status = 'active') counted
  left join lateral (${summary} where status = 'active' order by created_at desc, id desc limit $1 offset $2) page on true`;

export const outcomeColumns = `id, synth_id as "synthId", did_not_try_rate as "didNotTryRate", failed_rate as "failedRate",
  success_rate as "successRate", synth_attributes as "synthAttributes"`;
