// What is known of the schema versions of the old system's SQLite files. Written by hand from facts, as `legacy-shape.ts`, whose notation
// of columns this is: nothing here may be derived from the code.

/** What a version changed in one table: an absent `columns` is a dropped table, `without` names columns that went. */
interface TableChange {
  readonly table: string;
  /** All columns of a new table; those that were added, or have another definition now, of an existing one. */
  readonly columns?: string;
  readonly without?: string;
}

/** A published state of the schema. */
export interface VersionFacts {
  /** The schema version; `.1` is a second state under the same number. */
  readonly version: string;
  readonly changes: readonly TableChange[];
  /** What opening an older file adds to existing tables, by table; a table that a file lacks is created first. */
  readonly adds?: Readonly<Record<string, string>>;
  /**
   * The table after whose creation opening stops when it lacks this column, since an index names it. What was created before stays; the rest
   * does not come into being, and the old system does not start.
   */
  readonly stops?: readonly (readonly [table: string, column: string])[];
}

const prfaqState = `status text = 'completed' | error_message text | started_at time`;
const prfaq = `exec_id key | generated_at time! | model text = 'gpt-4.1-mini' | validation_status text = 'valid' | confidence_score real
  | headline text | one_liner text | faq_count int = 0`;
const outcomes = `synth_id text! | did_not_try_rate real! | failed_rate real! | success_rate real! | synth_attributes json`;
const simulationOutcomes = `id serial | simulation_id text! | ${outcomes}`;

const outcomesStop = [['synth_outcomes', 'analysis_id']] as const;

/** The states in their order. Each was what a new file looked like, apart from 3, which a file of version 2 became when it was opened again. */
export const versionFacts: readonly VersionFacts[] = [
  {
    version: '1',
    changes: [
      {
        table: 'synths',
        columns: `id key | nome text! | arquetipo text | descricao text | link_photo text | avatar_path text | created_at time!
          | version text = '2.0.0' | demografia json | psicografia json | deficiencias json | capacidades_tecnologicas json`,
      },
      {
        table: 'research_executions',
        columns: `exec_id key | topic_name text! | status text! = 'completed' | synth_count int! | successful_count int = 0
          | failed_count int = 0 | model text = 'gpt-4.1-mini' | max_turns int = 6 | started_at time! | completed_at time
          | summary_path text`,
      },
      {
        table: 'transcripts',
        columns: `id serial | exec_id text! | synth_id text! | status text! = 'completed' | turn_count int = 0 | timestamp time!
          | file_path text | messages json`,
      },
      { table: 'prfaq_metadata', columns: `${prfaq} | markdown_path text | json_path text` },
      {
        table: 'topic_guides_cache',
        columns: `name key | display_name text | description text | question_count int = 0 | file_count int = 0 | script_hash text
          | created_at time | updated_at time`,
      },
      { table: 'schema_migrations', columns: 'version serial | applied_at time! | description text' },
    ],
  },
  {
    version: '1.1',
    changes: [
      {
        table: 'research_executions',
        columns: `model text = 'gpt-5-mini' | summary_content text`,
        without: 'summary_path',
      },
      { table: 'transcripts', columns: 'synth_name text', without: 'file_path' },
      {
        table: 'prfaq_metadata',
        columns: `model text = 'gpt-5-mini' | markdown_content text | json_content json`,
        without: 'markdown_path json_path',
      },
    ],
  },
  {
    version: '2',
    changes: [{ table: 'prfaq_metadata', columns: `generated_at time | ${prfaqState}` }],
    adds: { prfaq_metadata: prfaqState },
  },
  { version: '3', changes: [] },
  {
    version: '4',
    changes: [
      {
        table: 'synths',
        columns: 'data json',
        without: 'demografia psicografia deficiencias capacidades_tecnologicas',
      },
      { table: 'schema_migrations' },
    ],
  },
  { version: '4.1', changes: [{ table: 'synths', without: 'arquetipo' }] },
  {
    version: '5',
    changes: [
      {
        table: 'feature_scorecards',
        columns: 'id key | data json! | created_at time! | updated_at time',
      },
      {
        table: 'simulation_runs',
        columns: `id key | scorecard_id text! | scenario_id text! | config json! | status text! | started_at time! | completed_at time
          | total_synths int = 0 | aggregated_outcomes json | execution_time_seconds real`,
      },
      { table: 'synth_outcomes', columns: simulationOutcomes },
      {
        table: 'region_analyses',
        columns: `id key | simulation_id text! | rules json! | rule_text text! | synth_count int! | synth_percentage real!
          | did_not_try_rate real! | failed_rate real! | success_rate real! | failure_delta real!`,
      },
      {
        table: 'assumption_log',
        columns: `id key | timestamp time! | action text! | scorecard_id text | simulation_id text | data json | user text`,
      },
    ],
  },
  {
    version: '6',
    changes: [
      {
        table: 'experiments',
        columns:
          'id key | name text! | hypothesis text! | description text | created_at time! | updated_at time',
      },
      { table: 'synth_groups', columns: 'id key | name text! | description text | created_at time!' },
      { table: 'synths', columns: 'synth_group_id text' },
      { table: 'research_executions', columns: 'experiment_id text' },
      { table: 'feature_scorecards', columns: 'experiment_id text' },
    ],
    stops: [['synths', 'synth_group_id']],
  },
  {
    version: '7',
    changes: [
      { table: 'experiments', columns: 'scorecard_data json' },
      {
        table: 'analysis_runs',
        columns: `id key | experiment_id text! | config json! | status text! = 'pending' | started_at time! | completed_at time
          | total_synths int = 0 | aggregated_outcomes json | execution_time_seconds real`,
      },
      { table: 'synth_outcomes', columns: 'id key | analysis_id text!', without: 'simulation_id' },
      {
        table: 'research_executions',
        columns: `status text! = 'pending' | synth_count int! = 0 | model text = 'gpt-4o-mini'`,
      },
      { table: 'transcripts', columns: `id key | synth_name text! | status text! = 'pending'` },
      { table: 'prfaq_metadata', columns: `model text = 'gpt-4o-mini'` },
    ],
    stops: outcomesStop,
  },
  {
    version: '8',
    changes: [
      {
        table: 'interview_guide',
        columns: `experiment_id key | context_definition text | questions text | context_examples text | created_at time!
          | updated_at time`,
      },
      { table: 'topic_guides_cache' },
    ],
    stops: outcomesStop,
  },
  {
    version: '8.1',
    changes: [{ table: 'research_executions', columns: 'additional_context text' }],
    stops: outcomesStop,
  },
  {
    // No published code makes it: these two tables were created beside a file of version 8, and had a number of their own in version 10.
    version: '9',
    changes: [
      {
        table: 'sensitivity_results',
        columns: `id key | simulation_id text! | analyzed_at time! | deltas_used json! | baseline_success real!
          | most_sensitive_dimension text! | dimensions json! | created_at time! = now`,
      },
      {
        table: 'chart_insights',
        columns: `id key | simulation_id text! | insight_type text! | response_json json! | created_at time! = now
          | updated_at time! = now`,
      },
    ],
    stops: outcomesStop,
  },
  {
    version: '10',
    changes: [{ table: 'experiments', columns: `status text! = 'active'` }],
    adds: { experiments: `status text! = 'active'` },
    stops: outcomesStop,
  },
  {
    version: '11',
    changes: [{ table: 'analysis_runs', columns: `scenario_id text! = 'baseline'` }],
    adds: { analysis_runs: `scenario_id text! = 'baseline'` },
    stops: outcomesStop,
  },
  { version: '11.1', changes: [{ table: 'assumption_log' }], stops: outcomesStop },
  {
    version: '12',
    changes: [
      {
        table: 'analysis_cache',
        columns: 'analysis_id text! | cache_key text! | data json! | params json | computed_at time! = now',
      },
    ],
    stops: outcomesStop,
  },
  {
    version: '13',
    changes: [
      {
        table: 'explorations',
        columns: `id key | experiment_id text! | baseline_analysis_id text! | goal json! | config json! | status text! = 'running'
          | current_depth int! = 0 | total_nodes int! = 0 | total_llm_calls int! = 0 | best_success_rate real | started_at time!
          | completed_at time`,
      },
      {
        table: 'scenario_nodes',
        columns: `id key | exploration_id text! | parent_id text | depth int! | action_applied text | action_category text
          | rationale text | scorecard_params json! | simulation_results json | execution_time_seconds real
          | node_status text! = 'active' | created_at time!`,
      },
    ],
    stops: outcomesStop,
  },
  {
    version: '14',
    changes: [{ table: 'scenario_nodes', columns: 'short_action text' }],
    adds: { scenario_nodes: 'short_action text' },
    stops: outcomesStop,
  },
  {
    version: '15',
    changes: [
      {
        table: 'experiment_documents',
        columns: `id key | experiment_id text! | document_type text! | markdown_content text! | metadata json | generated_at time!
          | model text = 'gpt-4o-mini' | status text! = 'completed' | error_message text`,
      },
      { table: 'research_executions', without: 'summary_content' },
      { table: 'prfaq_metadata' },
    ],
    stops: outcomesStop,
  },
];
