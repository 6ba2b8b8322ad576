// The data dictionary: each table's columns in order, after the specification. Written by hand: nothing here may be derived from
// the code. `!` is NOT NULL; what follows `=` is the server default.

const types: Record<string, string> = {
  text: 'text',
  int: 'integer',
  double: 'double precision',
  json: 'jsonb',
  time: 'timestamp(6) with time zone',
};

const tables: Record<string, string> = {
  experiments: `id text! | name text! | hypothesis text! | description text | scorecard_data json | created_at time! = now()
    | updated_at time | status text! = 'active' | row_version int! = 1`,
  interview_guide: `experiment_id text! | context_definition text | questions text | context_examples text
    | created_at time! = now() | updated_at time | row_version int! = 1`,
  synth_groups: `id text! | name text! | description text | created_at time! = now() | row_version int! = 1`,
  synths: `id text! | synth_group_id text | nome text! | descricao text | link_photo text | avatar_path text
    | created_at time! = now() | version text! = '2.0.0' | data json | row_version int! = 1`,
  analysis_runs: `id text! | experiment_id text! | scenario_id text! = 'baseline' | config json! | status text! = 'pending'
    | started_at time! | completed_at time | total_synths int! = 0 | aggregated_outcomes json | execution_time_seconds double | row_version int! = 1`,
  synth_outcomes: `id text! | analysis_id text! | synth_id text! | did_not_try_rate double! | failed_rate double!
    | success_rate double! | synth_attributes json | row_version int! = 1`,
  analysis_cache: `analysis_id text! | cache_key text! | data json! | params json | computed_at time! | row_version int! = 1`,
  research_executions: `exec_id text! | experiment_id text | topic_name text! | status text! = 'pending' | synth_count int! = 0
    | successful_count int! = 0 | failed_count int! = 0 | model text! = 'gpt-4o-mini' | max_turns int! = 6 | started_at time!
    | completed_at time | additional_context text | row_version int! = 1`,
  transcripts: `id text! | exec_id text! | synth_id text! | synth_name text! | status text! = 'pending' | turn_count int! = 0
    | timestamp time! | messages json | row_version int! = 1`,
  explorations: `id text! | experiment_id text! | baseline_analysis_id text! | goal json! | config json! | status text! = 'running'
    | current_depth int! = 0 | total_nodes int! = 0 | total_llm_calls int! = 0 | best_success_rate double | started_at time!
    | completed_at time | row_version int! = 1`,
  scenario_nodes: `id text! | exploration_id text! | parent_id text | depth int! = 0 | action_applied text | action_category text
    | rationale text | short_action text | scorecard_params json! | simulation_results json | execution_time_seconds double
    | node_status text! = 'active' | created_at time! = now() | row_version int! = 1`,
  chart_insights: `id text! | simulation_id text! | insight_type text! | response_json json! | created_at time! = now()
    | updated_at time | row_version int! = 1`,
  sensitivity_results: `id text! | simulation_id text! | analyzed_at time! | deltas_used json! | baseline_success double!
    | most_sensitive_dimension text! | dimensions json! | created_at time! = now() | row_version int! = 1`,
  region_analyses: `id text! | simulation_id text! | rules json! | rule_text text! | synth_count int! | synth_percentage double!
    | did_not_try_rate double! | failed_rate double! | success_rate double! | failure_delta double! | row_version int! = 1`,
  experiment_documents: `id text! | experiment_id text! | document_type text! | markdown_content text! | metadata json
    | generated_at time! | model text! = 'gpt-4o-mini' | status text! = 'completed' | error_message text | row_version int! = 1`,
  feature_scorecards: `id text! | experiment_id text | data json! | created_at time! = now() | updated_at time | row_version int! = 1`,
  simulation_runs: `id text! | scorecard_id text! | scenario_id text! | config json! | status text! = 'pending' | started_at time!
    | completed_at time | total_synths int! = 0 | aggregated_outcomes json | execution_time_seconds double | row_version int! = 1`,
};

export interface Column {
  readonly name: string;
  readonly type: string | undefined;
  readonly required: boolean;
  readonly default: string | null;
}

/** The tables, with their columns in order. */
export const dictionary: Record<string, Column[]> = Object.fromEntries(
  Object.entries(tables).map(([table, columns]) => [table, columns.split('|').map(parse)]),
);

function parse(column: string): Column {
  const [, name = '', type = '', bang, value] = /^\s*(\w+) (\w+)(!?)(?: = (\S+))?\s*$/.exec(column) ?? [];
  return { name, type: types[type], required: bang === '!', default: value ?? null };
}
