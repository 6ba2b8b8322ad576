// What the old system's databases look like, after the facts known of them. Written by hand: nothing here may be derived from the
// code. A column is `name type`, `!` is NOT NULL, what follows `=` is its default, `now` being SQLite's own.

/** `serial` is a key that SQLite numbers. */
export type LegacyType = 'key' | 'serial' | 'text' | 'json' | 'time' | 'int' | 'real';

const types = new Set<string>([
  'key',
  'serial',
  'text',
  'json',
  'time',
  'int',
  'real',
] satisfies LegacyType[]);

export interface LegacyColumn {
  readonly name: string;
  readonly type: LegacyType;
  readonly required: boolean;
  readonly default: string | undefined;
}

const columns: Record<string, string> = {
  experiments: `id key | name text! | hypothesis text! | description text | scorecard_data json | status text! = 'active'
    | created_at time! | updated_at time`,
  analysis_runs: `id key | experiment_id text! | scenario_id text! = 'baseline' | config json! | status text! = 'pending'
    | started_at time! | completed_at time | total_synths int = 0 | aggregated_outcomes json | execution_time_seconds real`,
  synth_outcomes: `id key | analysis_id text! | synth_id text! | did_not_try_rate real! | failed_rate real! | success_rate real!
    | synth_attributes json`,
  synth_groups: `id key | name text! | description text | created_at time!`,
  synths: `id key | synth_group_id text | nome text! | descricao text | link_photo text | avatar_path text | created_at time!
    | version text = '2.0.0' | data json`,
  research_executions: `exec_id key | experiment_id text | topic_name text! | status text! = 'pending' | synth_count int! = 0
    | successful_count int = 0 | failed_count int = 0 | model text = 'gpt-4o-mini' | max_turns int = 6 | started_at time!
    | completed_at time | additional_context text`,
  transcripts: `id key | exec_id text! | synth_id text! | synth_name text! | status text! = 'pending' | turn_count int = 0
    | timestamp time! | messages json`,
  interview_guide: `experiment_id key | context_definition text | questions text | context_examples text | created_at time!
    | updated_at time`,
  feature_scorecards: `id key | experiment_id text | data json! | created_at time! | updated_at time`,
  simulation_runs: `id key | scorecard_id text! | scenario_id text! | config json! | status text! | started_at time!
    | completed_at time | total_synths int = 0 | aggregated_outcomes json | execution_time_seconds real`,
  region_analyses: `id key | simulation_id text! | rules json! | rule_text text! | synth_count int! | synth_percentage real!
    | did_not_try_rate real! | failed_rate real! | success_rate real! | failure_delta real!`,
  sensitivity_results: `id key | simulation_id text! | analyzed_at time! | deltas_used json! | baseline_success real!
    | most_sensitive_dimension text! | dimensions json! | created_at time! = now`,
  chart_insights: `id key | simulation_id text! | insight_type text! | response_json json! | created_at time! = now
    | updated_at time! = now`,
  analysis_cache: `analysis_id text! | cache_key text! | data json! | params json | computed_at time! = now`,
  explorations: `id key | experiment_id text! | baseline_analysis_id text! | goal json! | config json! | status text! = 'running'
    | current_depth int! = 0 | total_nodes int! = 0 | total_llm_calls int! = 0 | best_success_rate real | started_at time!
    | completed_at time`,
  scenario_nodes: `id key | exploration_id text! | parent_id text | depth int! | action_applied text | action_category text
    | rationale text | short_action text | scorecard_params json! | simulation_results json | execution_time_seconds real
    | node_status text! = 'active' | created_at time!`,
  experiment_documents: `id key | experiment_id text! | document_type text! | markdown_content text! | metadata json
    | generated_at time! | model text = 'gpt-4o-mini' | status text! = 'completed' | error_message text`,
};

/** The seventeen tables of schema version 15. */
export const legacyTables: Readonly<Record<string, readonly LegacyColumn[]>> = Object.fromEntries(
  Object.entries(columns).map(([table, all]) => [table, parseColumns(all)]),
);

/** The unique columns of a table other than its key. */
const uniques: Readonly<Record<string, string>> = {
  analysis_runs: 'experiment_id',
  synth_outcomes: 'analysis_id, synth_id',
  transcripts: 'exec_id, synth_id',
  chart_insights: 'simulation_id, insight_type',
  experiment_documents: 'experiment_id, document_type',
};

// Files that were made by an older version have these as well.
const leftovers = `
  create table prfaq_metadata (exec_id text primary key, headline text, json_content text, status text not null default 'completed');
  create table topic_guides_cache (topic_name text primary key, content text);
  alter table research_executions add column summary_content text;`;

/** The statements that make a SQLite file of schema version 15; with `upgraded`, one that an older version began. */
export function sqliteSchema({ upgraded }: { upgraded: boolean }): string {
  const tables = Object.entries(legacyTables).map(
    ([table, all]) => `create table ${sqliteTable(table, all)};`,
  );
  return `${tables.join('\n')}
    create index idx_scenario_nodes_parent on scenario_nodes (parent_id);
    create index idx_outcomes_analysis on synth_outcomes (analysis_id);
    ${upgraded ? leftovers : ''}`;
}

/** A table's name and definition in SQLite. */
export function sqliteTable(table: string, all: readonly LegacyColumn[]): string {
  const lines = all.map(sqliteColumn);
  if (table === 'analysis_cache') lines.push('primary key (analysis_id, cache_key)');
  const unique = uniques[table];
  if (unique?.split(', ').every((name) => all.some((column) => column.name === name)))
    lines.push(`unique (${unique})`);
  return `${table} (${lines.join(', ')})`;
}

/** A column's definition in SQLite. */
export function sqliteColumn(column: LegacyColumn): string {
  return `${column.name} ${sqliteTypes[column.type](column.name)}${constraints(column, "(datetime('now'))")}`;
}

/** The statements that make its twin in PostgreSQL, where times are texts, keys are never NULL and documents are `jsonb`. */
export function postgresSchema(): string {
  return Object.entries(legacyTables)
    .map(([table, all]) => {
      const lines = all.map(
        ({ name, type, required }) =>
          `"${name}" ${postgresTypes[type]}${required || type === 'key' ? ' not null' : ''}`,
      );
      const key = table === 'analysis_cache' ? 'analysis_id, cache_key' : (all[0]?.name ?? '');
      return `create table ${table} (${lines.join(', ')}, primary key (${key}));`;
    })
    .join('\n');
}

const sqliteTypes: Record<LegacyType, (name: string) => string> = {
  key: () => 'text primary key',
  serial: () => 'integer primary key autoincrement',
  text: () => 'text',
  json: (name) => `text check (json_valid(${name}) or ${name} is null)`,
  time: () => 'text',
  int: () => 'integer',
  real: () => 'real',
};

const postgresTypes: Record<LegacyType, string> = {
  key: 'varchar(100)',
  serial: 'integer',
  text: 'text',
  json: 'jsonb',
  time: 'varchar(50)',
  int: 'integer',
  real: 'double precision',
};

function constraints({ required, default: value }: LegacyColumn, now: string): string {
  const filled = value === 'now' ? now : value;
  return `${required ? ' not null' : ''}${filled === undefined ? '' : ` default ${filled}`}`;
}

/** Reads columns in the notation above, separated by `|`. */
export function parseColumns(all: string): LegacyColumn[] {
  return all.split('|').map(parse);
}

function parse(column: string): LegacyColumn {
  const [, name = '', type = '', bang, value] = /^\s*(\w+) (\w+)(!?)(?: = (\S+))?\s*$/.exec(column) ?? [];
  if (!isType(type)) throw new Error(`"${column}" is no column`);
  return { name, type, required: bang === '!', default: value };
}

function isType(type: string): type is LegacyType {
  return types.has(type);
}
