import type pg from 'pg';

/** The keys of the benchmark's rows. */
export const seeded = {
  experiment: 'exp_bench_0001',
  analysis: 'ana_bench',
  exploration: 'expl_bench',
  bulk: 'ana_bulk',
} as const;

const attributes = {
  observables: {
    digital_literacy: 0.512,
    similar_tool_experience: 0.431,
    motor_ability: 0.911,
    time_availability: 0.25,
    domain_expertise: 0.48,
  },
  latent_traits: {
    capability_mean: 0.55,
    trust_mean: 0.47,
    friction_tolerance_mean: 0.41,
    exploration_prob: 0.52,
  },
};

const scorecard = {
  feature_name: 'One tap',
  description_text: 'Pay with one tap',
  complexity: { score: 0.3 },
  initial_effort: { score: 0.4 },
  perceived_risk: { score: 0.5 },
  time_to_value: { score: 0.2 },
};

/** The attributes of one outcome: nine numbers, as an analysis stores them. */
export { attributes };

/** Inserts rows of realistic sizes: 2,000 experiments, one with an analysis of 500 outcomes and an exploration of 500 nodes. */
export async function seed(pool: pg.Pool): Promise<void> {
  await pool.query(
    `insert into experiments (id, name, hypothesis, description, scorecard_data, created_at)
     select 'exp_bench_' || lpad(i::text, 4, '0'), 'Experiment ' || i, 'A shorter path sells more', 'd', $1, now() - i * interval '1 minute'
     from generate_series(1, 2000) i`,
    [scorecard],
  );
  await pool.query(
    `insert into analysis_runs (id, experiment_id, config, status, started_at) values ($1, $2, '{"n_synths":500}', 'completed', now())`,
    [seeded.analysis, seeded.experiment],
  );
  await pool.query(
    `insert into analysis_runs (id, experiment_id, config, started_at) values ($1, 'exp_bench_0002', '{}', now())`,
    [seeded.bulk],
  );
  await pool.query(
    `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes)
     select 'out_bench_' || i, $1, 'syn_' || lpad(i::text, 4, '0'), 0.2, 0.3, 0.5, $2 from generate_series(1, 500) i`,
    [seeded.analysis, attributes],
  );
  await pool.query(
    `insert into explorations (id, experiment_id, baseline_analysis_id, goal, config, started_at)
     values ($1, $2, $3, '{"metric":"success_rate","operator":">=","value":0.6}', '{}', now())`,
    [seeded.exploration, seeded.experiment, seeded.analysis],
  );
  await pool.query(
    `insert into scenario_nodes (id, exploration_id, depth, scorecard_params, simulation_results)
     select 'node_bench_' || lpad(i::text, 4, '0'), $1, i, '{"complexity":0.3,"initial_effort":0.4,"perceived_risk":0.5,"time_to_value":0.2}',
       '{"success_rate":0.5,"fail_rate":0.3,"did_not_try_rate":0.2}' from generate_series(0, 499) i`,
    [seeded.exploration],
  );
  // Twice: the first may count no page as visible in a table whose visibility map it has just created, and then plans differ from run to run.
  await pool.query('vacuum analyze');
  await pool.query('vacuum analyze');
}
