import { legacyTables, parseColumns, type LegacyColumn } from '../legacy-shape.ts';
import type { Shape } from './schema-version.ts';

// What is known of the states of the old system's PostgreSQL database, in the notation of `legacy-shape.ts`: the one that its first models
// created, and the one after each of its revisions. Written by hand from facts.

/** A published state of the database. */
interface StateFacts {
  readonly state: string;
  /** Tables that came, or that had these columns from then on; none: the table went. */
  readonly tables?: Readonly<Record<string, string | undefined>>;
  /** Columns that were added. */
  readonly adds?: Readonly<Record<string, string>>;
}

const before = {
  research_executions: `id key | experiment_id text | synth_group_id text | status text! = 'pending' | config json | started_at time!
    | completed_at time | total_synths int! = 0 | completed_synths int! = 0`,
  transcripts:
    'id key | research_id text! | synth_id text! | content text | metadata_ json | created_at time!',
  explorations: `id key | experiment_id text! | baseline_analysis_id text! | name text! | description text | status text! = 'active'
    | created_at time! | updated_at time`,
  scenario_nodes: `id key | exploration_id text! | parent_id text | scenario_type text! | parameters json | results json
    | status text! = 'pending' | created_at time!`,
  chart_insights:
    'id key | analysis_id text! | chart_type text! | insight_text text! | data_summary json | created_at time!',
  sensitivity_results: `id key | analysis_id text! | feature_name text! | sensitivity_score real! | impact_direction text | details json
    | created_at time!`,
  region_analyses: `id key | analysis_id text! | region_name text! | synth_count int! | success_rate real! | characteristics json
    | created_at time!`,
  experiment_documents: `id key | experiment_id text! | doc_type text! | title text | content text | metadata_ json | created_at time!
    | updated_at time`,
  feature_scorecards:
    'id key | name text! | description text | data json | created_at time! | updated_at time',
  simulation_runs: `id key | scorecard_id text | config json | results json | status text! = 'pending' | started_at time!
    | completed_at time`,
} as const;

/** The tables of the first models that no revision made. */
const prfaq = `exec_id key | generated_at time | model text! | validation_status text! = 'valid' | confidence_score real
  | headline text | one_liner text | faq_count int! = 0 | markdown_content text | json_content text | status text! = 'completed' | error_message text | started_at time`;

const revisions: readonly StateFacts[] = [
  { state: '001', tables: before },
  // Its ten tables become those of the models.
  { state: 'c65e0b6ff583' },
  { state: 'migrate_doc_types' },
  { state: 'add_source_id', adds: { experiment_documents: 'source_id text' } },
  { state: '103d7ca69596' },
  { state: 'f28fd615d2a9' },
  { state: '7064b7bb965d' },
  { state: 'e5d26c38a962' },
  { state: '58b0dafa7483' },
  { state: '553590ab1de1', tables: { feature_scorecards: undefined, simulation_runs: undefined } },
  {
    state: 'ccea4e94f2f7',
    tables: {
      experiment_materials: `id key | experiment_id text! | file_type text! | file_url text! | thumbnail_url text | file_name text!
        | file_size int! | mime_type text! | material_type text! | description text | description_status text! | display_order int!
        | created_at time!`,
    },
  },
  {
    state: '09d318020a17',
    tables: {
      tags: 'id key | name text! | created_at time! | updated_at time',
      experiment_tags: 'experiment_id text! | tag_id text! | created_at time!',
    },
  },
  { state: 'add_config_synth_groups', adds: { synth_groups: 'config json' } },
  { state: 'add_synth_group_id_exp', adds: { experiments: 'synth_group_id text!' } },
];

/** The states in their order; `models` is the one that the first models created. */
export const postgresStates: readonly string[] = ['models', ...revisions.map(({ state }) => state)];

/** Returns the tables of a state. */
export function postgresShape(state: string): Shape {
  const tables = new Map<string, readonly LegacyColumn[]>(
    Object.entries(legacyTables).map(([table, columns]) => [table, columns.map(inPostgres)]),
  );
  if (state === 'models') return tables.set('prfaq_metadata', parseColumns(prfaq));
  for (const { state: one, tables: given = {}, adds = {} } of revisions) {
    if (one === '001' && state !== one) continue;
    for (const [table, columns] of Object.entries(given)) {
      if (columns === undefined) tables.delete(table);
      else tables.set(table, parseColumns(columns));
    }
    for (const [table, columns] of Object.entries(adds))
      tables.set(table, [...(tables.get(table) ?? []), ...parseColumns(columns)]);
    if (one === state) return tables;
  }
  throw new Error(`there is no state ${state}`);
}

/** A column with a default may not be NULL there. Only the time of a change has none; of an insight it had one in SQLite. */
function inPostgres(column: LegacyColumn): LegacyColumn {
  if (column.name === 'updated_at') return { ...column, required: false, default: undefined };
  return { ...column, required: column.required || column.default !== undefined };
}

/** Whether a state has come to be when another one has. */
export function isSince(state: string, first: string): boolean {
  return postgresStates.indexOf(state) >= postgresStates.indexOf(first);
}

/** Returns the type of a column of JSON: the first revision had `json`, and a later one brought it back for the messages. */
export function jsonType(state: string, table: string, column: string): 'json' | 'jsonb' {
  const isMessages = table === 'transcripts' && column === 'messages';
  return state === '001' || (isMessages && isSince(state, '103d7ca69596')) ? 'json' : 'jsonb';
}
