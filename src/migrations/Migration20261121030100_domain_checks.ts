import { Migration } from '@mikro-orm/migrations';

// table → rule → what must hold; the constraint is called chk_<table>_<rule>.
const rules: Record<string, Record<string, string>> = {
  synth_groups: {
    id_not_empty: `id <> ''`,
    name_not_blank: `name ~ '\\S'`,
  },
  synths: {
    id_not_empty: `id <> ''`,
    data_object: `jsonb_typeof(data) = 'object'`,
  },
  experiments: {
    id_not_empty: `id <> ''`,
    name_not_blank: `name ~ '\\S'`,
    hypothesis_not_blank: `hypothesis ~ '\\S'`,
    name_length: 'char_length(name) <= 100',
    hypothesis_length: 'char_length(hypothesis) <= 500',
    description_length: 'char_length(description) <= 2000',
    scorecard_data_object: `jsonb_typeof(scorecard_data) = 'object'`,
    status: `status in ('active', 'deleted')`,
  },
  analysis_runs: {
    id_not_empty: `id <> ''`,
    total_synths_range: 'total_synths >= 0',
    execution_time_seconds_range: `execution_time_seconds >= '0'::double precision`,
    config_object: `jsonb_typeof(config) = 'object'`,
    aggregated_outcomes_object: `jsonb_typeof(aggregated_outcomes) = 'object'`,
    status: `status in ('pending', 'running', 'completed', 'failed')`,
  },
  synth_outcomes: {
    id_not_empty: `id <> ''`,
    synth_id_not_empty: `synth_id <> ''`,
    did_not_try_rate_range: `did_not_try_rate >= '0'::double precision and did_not_try_rate <= '1'::double precision`,
    failed_rate_range: `failed_rate >= '0'::double precision and failed_rate <= '1'::double precision`,
    success_rate_range: `success_rate >= '0'::double precision and success_rate <= '1'::double precision`,
    synth_attributes_object: `jsonb_typeof(synth_attributes) = 'object'`,
  },
  analysis_cache: {
    cache_key_not_empty: `cache_key <> ''`,
    data_object: `jsonb_typeof(data) = 'object'`,
    params_object: `jsonb_typeof(params) = 'object'`,
  },
  research_executions: {
    exec_id_not_empty: `exec_id <> ''`,
    synth_count_range: 'synth_count >= 0',
    successful_count_range: 'successful_count >= 0',
    failed_count_range: 'failed_count >= 0',
    max_turns_range: 'max_turns >= 0',
    status: `status in ('pending', 'running', 'generating_summary', 'completed', 'failed')`,
  },
  transcripts: {
    id_not_empty: `id <> ''`,
    synth_id_not_empty: `synth_id <> ''`,
    turn_count_range: 'turn_count >= 0',
    messages_array: `jsonb_typeof(messages) = 'array'`,
  },
  explorations: {
    id_not_empty: `id <> ''`,
    current_depth_range: 'current_depth >= 0',
    total_nodes_range: 'total_nodes >= 0',
    total_llm_calls_range: 'total_llm_calls >= 0',
    best_success_rate_range: `best_success_rate >= '0'::double precision and best_success_rate <= '1'::double precision`,
    goal_object: `jsonb_typeof(goal) = 'object'`,
    config_object: `jsonb_typeof(config) = 'object'`,
    status: `status in ('running', 'goal_achieved', 'depth_limit_reached', 'cost_limit_reached', 'no_viable_paths')`,
  },
  scenario_nodes: {
    id_not_empty: `id <> ''`,
    depth_range: 'depth >= 0',
    execution_time_seconds_range: `execution_time_seconds >= '0'::double precision`,
    action_applied_length: 'char_length(action_applied) <= 500',
    rationale_length: 'char_length(rationale) <= 200',
    short_action_length: 'char_length(short_action) <= 30',
    scorecard_params_object: `jsonb_typeof(scorecard_params) = 'object'`,
    simulation_results_object: `jsonb_typeof(simulation_results) = 'object'`,
    node_status: `node_status in ('active', 'dominated', 'winner', 'expansion_failed')`,
  },
  chart_insights: {
    id_not_empty: `id <> ''`,
    simulation_id_not_empty: `simulation_id <> ''`,
    response_json_object: `jsonb_typeof(response_json) = 'object'`,
  },
  sensitivity_results: {
    id_not_empty: `id <> ''`,
    simulation_id_not_empty: `simulation_id <> ''`,
    baseline_success_range: `baseline_success >= '0'::double precision and baseline_success <= '1'::double precision`,
    deltas_used_array: `jsonb_typeof(deltas_used) = 'array'`,
    dimensions_array: `jsonb_typeof(dimensions) = 'array'`,
  },
  region_analyses: {
    id_not_empty: `id <> ''`,
    simulation_id_not_empty: `simulation_id <> ''`,
    synth_count_range: 'synth_count >= 0',
    synth_percentage_range: `synth_percentage >= '0'::double precision and synth_percentage <= '100'::double precision`,
    did_not_try_rate_range: `did_not_try_rate >= '0'::double precision and did_not_try_rate <= '1'::double precision`,
    failed_rate_range: `failed_rate >= '0'::double precision and failed_rate <= '1'::double precision`,
    success_rate_range: `success_rate >= '0'::double precision and success_rate <= '1'::double precision`,
    rules_array: `jsonb_typeof(rules) = 'array'`,
  },
  experiment_documents: {
    id_not_empty: `id <> ''`,
    metadata_object: `jsonb_typeof(metadata) = 'object'`,
    document_type: `document_type in ('summary', 'prfaq', 'executive_summary')`,
    status: `status in ('pending', 'generating', 'completed', 'failed', 'partial')`,
  },
  feature_scorecards: {
    id_not_empty: `id <> ''`,
    data_object: `jsonb_typeof(data) = 'object'`,
  },
  simulation_runs: {
    id_not_empty: `id <> ''`,
    total_synths_range: 'total_synths >= 0',
    execution_time_seconds_range: `execution_time_seconds >= '0'::double precision`,
    config_object: `jsonb_typeof(config) = 'object'`,
    aggregated_outcomes_object: `jsonb_typeof(aggregated_outcomes) = 'object'`,
    status: `status in ('pending', 'running', 'completed', 'failed')`,
  },
};

const all = Object.entries(rules).flatMap(([table, named]) =>
  Object.entries(named).map(([rule, expression]) => ({ table, name: `chk_${table}_${rule}`, expression })),
);

/**
 * What the domain says of its values, said to the database: closed sets, lengths, rates from 0 to 1, counts that are never
 * negative, documents that are objects or arrays and never the literal `null`, keys that are never empty.
 *
 * Locks: each table exclusively for a moment, one after the other; each is read to validate beside readers and writers.
 * Going back loses nothing but the rules.
 */
export class Migration20261121030100_domain_checks extends Migration {
  static readonly refuses = Object.keys(rules).map(
    (table) => `${table}: rows from before that break a rule stop it`,
  );

  override name = 'Migration20261121030100_domain_checks';

  // One transaction would hold the locks of all tables at once.
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    for (const { table, name, expression } of all) {
      this.addSql(`alter table ${table} add constraint ${name} check (${expression}) not valid`);
    }
    for (const { table, name } of all) this.addSql(`alter table ${table} validate constraint ${name}`);
  }

  override down(): void {
    for (const { table, name } of all.toReversed())
      this.addSql(`alter table ${table} drop constraint ${name}`);
  }
}
