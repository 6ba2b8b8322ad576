import type pg from 'pg';

/**
 * The keys of parents. The `usual` ones have the same number of rows at every size, among more rows of others; the `large` ones have a
 * tenth of all rows.
 */
export const usual = {
  experiment: 'exp_2',
  analysis: 'ana_2',
  group: 'grp_2',
  execution: 'exec_2',
  exploration: 'expl_2',
  root: 'node_2_1',
  leaf: 'node_2_500',
  synth: 'syn_2',
  simulation: 'sim_2',
  scorecard: 'fsc_2',
} as const;
export const large = {
  experiment: 'exp_1',
  analysis: 'ana_1',
  group: 'grp_1',
  execution: 'exec_1',
  exploration: 'expl_1',
  root: 'node_1_1',
  /** A path of 5,000 nodes, and of ten times as many. */
  leafOf: (size: number): string => `node_chain_${5_000 * size}`,
} as const;

/** Inserts the rows of `size`: at 1, 20,000 experiments, 100,000 synths and outcomes, 10,000 transcripts of 20 KB, trees of 5,000 nodes. */
export async function seed(client: pg.ClientBase, size: number): Promise<void> {
  // The rows are consistent: to check each reference would double the time.
  await client.query('set session_replication_role = replica');
  for (const statement of statements) {
    // oxlint-disable-next-line no-await-in-loop -- on one connection
    await client.query(statement.replaceAll('$size', String(size)));
  }
  await client.query('set session_replication_role = origin');
  // Twice: the first may count no page as visible in a table whose visibility map it has just created, and then plans differ from run to run.
  await client.query('vacuum analyze');
  await client.query('vacuum analyze');
}

const attributes = `'{"observables":{"digital_literacy":0.5,"similar_tool_experience":0.4,"motor_ability":0.9,"time_availability":0.2,"domain_expertise":0.4},"latent_traits":{"capability_mean":0.5,"trust_mean":0.4,"friction_tolerance_mean":0.4,"exploration_prob":0.5}}'::jsonb`;
const results = `jsonb_build_object('success_rate', i % 97 / 200.0, 'fail_rate', 0.5, 'did_not_try_rate', 0.5 - i % 97 / 200.0)`;
const parameters = `'{"complexity":0.3,"initial_effort":0.4,"perceived_risk":0.5,"time_to_value":0.2}'`;
const goal = `'{"metric":"success_rate","operator":">=","value":0.6}'`;
const insight = `jsonb_build_object('analysis_id', 'ana_' || i, 'chart_type', 'chart_' || c, 'summary', 's', 'generation_timestamp', '2026-01-01T00:00:00Z', 'status', 'completed')`;

// Prime moduli, so that properties of a row don't depend on each other.
const statements = [
  `insert into experiments (id, name, hypothesis, description, scorecard_data, created_at, updated_at, status)
   select 'exp_' || i, 'Experiment ' || i::bigint * 7919 % (20000 * $size), 'A shorter path sells more', 'd', case when i % 2 = 0 then ${parameters}::jsonb end,
     now() - case when i = 1 then interval '1 year' else i * interval '1 second' end, case when i % 3 = 0 then now() - (i::bigint * 7919 % (20000 * $size)) * interval '1 second' end,
     case when i > 2 and i % 53 = 0 then 'deleted' else 'active' end
   from generate_series(1, 20000 * $size) i`,
  `insert into interview_guide (experiment_id, questions) select 'exp_' || i, 'q' from generate_series(1, 20000 * $size, 2) i`,
  `insert into analysis_runs (id, experiment_id, config, status, started_at, completed_at)
   select 'ana_' || i, 'exp_' || i, '{}', case when i > 2 and i % 211 = 0 then 'pending' else 'completed' end, now() - i * interval '1 second',
     case when i % 211 <> 0 then now() end
   from generate_series(1, 10000 * $size) i`,
  `insert into synth_groups (id, name, created_at) select 'grp_' || i, 'Group ' || i, now() - case when i = 1 then interval '1 year' else i * interval '1 second' end from generate_series(1, 20 * $size) i`,
  `insert into synths (id, synth_group_id, nome, descricao, created_at, data)
   select 'syn_' || i, case when i % 10 = 0 then 'grp_1' else 'grp_' || (2 + i % (20 * $size - 1)) end,
     'Maria ' || i::bigint * 7919 % (100000 * $size), 'Lives in town ' || md5(i::text) || ' and works', now() - i * interval '1 millisecond',
     jsonb_build_object('demografia', jsonb_build_object('idade', 18 + i % 61, 'localizacao', jsonb_build_object('estado', (array['SP','RJ','MG','BA'])[1 + i % 4], 'cidade', 'C' || i % 5003)))
   from generate_series(1, 100000 * $size) i`,
  `insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate, synth_attributes)
   select 'out_' || i, case when i % 10 = 0 then 'ana_1' when i <= 555 then 'ana_2' else 'ana_' || (3 + i % (9000 * $size)) end,
     'syn_' || i, 0.5 - i % 97 / 200.0, 0.5, i % 97 / 200.0, ${attributes}
   from generate_series(1, 100000 * $size) i`,
  `insert into analysis_cache (analysis_id, cache_key, data, computed_at)
   select 'ana_' || i, 'insight_chart_' || c, ${insight}, now() from generate_series(1, 2000 * $size) i, generate_series(1, 5) c`,
  `insert into chart_insights (id, simulation_id, insight_type, response_json)
   select 'ins_' || i || '_' || c, 'ana_' || i, 'chart_' || c, ${insight} from generate_series(1, 2000 * $size) i, generate_series(1, 5) c`,
  `insert into region_analyses (id, simulation_id, rules, rule_text, synth_count, synth_percentage, did_not_try_rate, failed_rate, success_rate, failure_delta)
   select 'reg_' || i || '_' || c, 'ana_' || i, '[]', 'r', 5, 10, 0.2, c / 20.0, 0.1, 0.1 from generate_series(1, 2000 * $size) i, generate_series(1, 10) c`,
  `insert into sensitivity_results (id, simulation_id, analyzed_at, deltas_used, baseline_success, most_sensitive_dimension, dimensions)
   select 'sen_' || i || '_' || c, 'ana_' || i, now() - c * interval '1 day', '[]', 0.5, 'complexity', '[]' from generate_series(1, 2000 * $size) i, generate_series(1, 2) c`,
  `insert into experiment_documents (id, experiment_id, document_type, markdown_content, generated_at, status)
   select 'doc_' || i || '_' || t, 'exp_' || i, t, repeat('text ', 400), now() - i * interval '1 second', 'completed'
   from generate_series(1, 5000 * $size) i, unnest(array['summary', 'prfaq']) t`,
  `insert into research_executions (exec_id, experiment_id, topic_name, status, synth_count, started_at, additional_context)
   select 'exec_' || i, case when i <= 50 then 'exp_2' when i % 19 = 0 then null when i % 10 = 0 then 'exp_1' else 'exp_' || i end,
     case when i = 2 then 'exp_exp_2_auto' else 'topic_' || i::bigint * 7919 % (20000 * $size) end,
     case when i > 2 and i % 211 = 0 then 'pending' when i % 7 = 0 then 'failed' else 'completed' end, 5, now() - i * interval '1 second', 'Winter.'
   from generate_series(1, 20000 * $size) i`,
  // A document of 20 KB, and random enough to stay 10 KB when it is compressed.
  `insert into transcripts (id, exec_id, synth_id, synth_name, status, turn_count, "timestamp", messages)
   select 'tra_' || i, case when i % 10 = 0 then 'exec_1' when i <= 222 then 'exec_2' else 'exec_' || (3 + i % (900 * $size)) end, 'syn_' || i,
     'Maria ' || i::bigint * 7919 % (10000 * $size), 'completed', i % 13, now() - i * interval '1 second',
     (select jsonb_agg(jsonb_build_object('speaker', 'Interviewer', 'text', (select string_agg(md5((i * m * w)::text) || ' and then ', '') from generate_series(1, 24) w), 'internal_notes', null))
      from generate_series(1, 20) m)
   from generate_series(1, 10000 * $size) i`,
  `insert into explorations (id, experiment_id, baseline_analysis_id, goal, config, status, best_success_rate, started_at)
   select 'expl_' || i, case when i <= 50 then 'exp_2' when i % 10 = 0 then 'exp_1' else 'exp_' || i end, 'ana_' || i, ${goal}, '{}', 'running', i % 97 / 100.0,
     now() - i * interval '1 second'
   from generate_series(1, 2000 * $size) i`,
  `insert into explorations (id, experiment_id, baseline_analysis_id, goal, config, started_at)
   values ('expl_chain', 'exp_3', 'ana_3', ${goal}, '{}', now() - interval '1 day')`,
  // Two trees in which each node has ten children, and one root of many.
  `insert into scenario_nodes (id, exploration_id, parent_id, depth, scorecard_params, simulation_results, rationale, node_status, created_at)
   select 'node_' || t || '_' || i, 'expl_' || t, case when i > 1 then 'node_' || t || '_' || case when i % 2 = 0 then 1 else i / 10 + 1 end end,
     case when i = 1 then 0 when i % 2 = 0 then 1 else 1 + ceil(log(10, i))::int end, ${parameters}, ${results}, repeat('why ', 40),
     case when i % 10 = 0 then 'active' else 'dominated' end, now() - i::bigint * 7919 % 10007 * interval '1 second'
   from (values (1, 5000 * $size), (2, 500)) trees (t, nodes), generate_series(1, nodes) i`,
  `insert into scenario_nodes (id, exploration_id, parent_id, depth, scorecard_params)
   select 'node_chain_' || i, 'expl_chain', case when i > 1 then 'node_chain_' || i - 1 end, i - 1, ${parameters} from generate_series(1, 5000 * $size) i`,
  `insert into scenario_nodes (id, exploration_id, parent_id, depth, scorecard_params, simulation_results, created_at)
   select 'node_' || t || '_' || i, 'expl_' || t, case when i > 1 then 'node_' || t || '_1' end, (i > 1)::int, ${parameters}, ${results}, now() - i * interval '1 second'
   from generate_series(3, 2000 * $size) t, generate_series(1, 5) i`,
  `insert into feature_scorecards (id, experiment_id, data, created_at)
   select 'fsc_' || i, case when i <= 5 then 'exp_2' else 'exp_' || i end, '{}', now() - i * interval '1 second' from generate_series(1, 2000 * $size) i`,
  `insert into simulation_runs (id, scorecard_id, scenario_id, config, status, started_at)
   select 'sim_' || i, 'fsc_' || (1 + i % (2000 * $size)), 'baseline', '{}', 'completed', now() - i * interval '1 second' from generate_series(1, 4000 * $size) i`,
];
