import type { LegacyRow, LegacyRows } from '../legacy-file.ts';
import { isSince, postgresShape } from './postgres-facts.ts';
import { rowsOf } from './rows-of-version.ts';
import { shapeOf } from './schema-version.ts';

const at = '2026-01-03T10:00:00.000001+00:00';
const json = JSON.stringify;

/** Returns rows for each table of a state of the old PostgreSQL database, as its code wrote them: with all columns, and JSON `null` for none. */
export function postgresRows(state: string): LegacyRows {
  const shape = postgresShape(state);
  const known = new Map(
    [...shapeOf('15'), ...shapeOf('14')].map(([table]) => [table, shape.get(table) ?? []]),
  );
  for (const [table] of known) if (!shape.has(table)) known.delete(table);
  const of15: Record<string, readonly LegacyRow[]> = { ...rowsOf('15', known, 'p'), ...others(state) };
  const rows: Record<string, readonly LegacyRow[]> = {};
  for (const [table, columns] of shape) {
    const isLater = isSince(state, 'migrate_doc_types');
    const given = [
      ...(of15[table] ?? []).map((row) =>
        // The revision gave this one the type of its source.
        isLater && row['document_type'] === 'summary'
          ? { ...row, document_type: 'exploration_summary' }
          : row,
      ),
      ...(isLater ? (later[table] ?? []) : []).filter(
        // One of each type, until documents had a source.
        ({ id }) => id !== 'doc_2' || isSince(state, 'add_source_id'),
      ),
    ];
    if (given.length === 0) throw new Error(`there are no rows of ${table}`);
    rows[table] = given.map((row, index) => {
      const values = columns.map(({ name, type, default: value }): [string, LegacyRow[string]] => {
        const own = row[name] ?? added[`${table}.${name}`] ?? null;
        if (own !== null) return [name, own];
        if (type === 'key' && columns[0]?.name === name) return [name, `${table}_${index}`];
        return [
          name,
          value === 'now' ? at : (value?.replaceAll("'", '') ?? (type === 'json' ? 'null' : null)),
        ];
      });
      return Object.fromEntries(values);
    });
  }
  return rows;
}

/** Values of columns that were added to tables with rows. */
const added: Readonly<Record<string, string>> = {
  'experiments.synth_group_id': 'grp_0000001p',
  'synth_groups.config': json({ n: 500, distributions: { idade: { '15-29': 0.25 } } }),
};

const document = (id: string, type: string, day: number): LegacyRow => ({
  id,
  experiment_id: 'exp_0000001p',
  document_type: type,
  markdown_content: `# ${id}`,
  metadata: json({ source: 'research', exec_id: 'batch_compra_20251211_p' }),
  generated_at: `2026-01-0${day}T10:00:00.000001+00:00`,
  model: 'gpt-5',
  status: 'completed',
});

/** What was written once the types of documents said what their source is. */
const later: LegacyRows = {
  experiment_documents: [
    { ...document('doc_1', 'research_summary', 4), source_id: 'batch_compra_20251211_p' },
    { ...document('doc_2', 'research_summary', 6), source_id: 'batch_compra_20251212_p' },
    { ...document('doc_3', 'exploration_summary', 5), source_id: 'expl_0000001p' },
    { ...document('doc_4', 'exploration_prfaq', 8), status: 'generating', source_id: 'expl_0000001p' },
    { ...document('doc_5', 'research_prfaq', 7) },
    {
      ...document('doc_6', 'research_prfaq', 4),
      experiment_id: 'exp_0000002p',
      status: 'failed',
      error_message: 'x',
    },
    { ...document('doc_7', 'research_summary', 9), experiment_id: 'exp_0000002p' },
  ],
};

function others(state: string): LegacyRows {
  const rows: Record<string, readonly LegacyRow[]> = {
    experiment_materials: [
      {
        id: 'mat_1',
        experiment_id: 'exp_0000001p',
        file_type: 'image',
        file_url: 'https://example.org/1.png',
        file_name: '1.png',
        file_size: 2048,
        mime_type: 'image/png',
        material_type: 'design',
        description_status: 'completed',
        display_order: 0,
        created_at: at,
      },
    ],
    tags: [{ id: 'tag_1', name: 'q1', created_at: at }],
    experiment_tags: [{ experiment_id: 'exp_0000001p', tag_id: 'tag_1', created_at: at }],
  };
  return state === '001' ? { ...rows, ...first } : rows;
}

const run = { id: 'x_1', analysis_id: 'ana_0000001p', created_at: at };

/** Rows of the ten tables that only the first revision had like this; no code wrote into them. */
const first: LegacyRows = {
  research_executions: [
    { id: 'res_1', experiment_id: 'exp_0000001p', status: 'pending', config: '{"a": 1}', started_at: at },
  ],
  transcripts: [
    {
      id: 'trn_1',
      research_id: 'res_1',
      synth_id: 'synthp',
      content: 'Olá',
      metadata_: '{}',
      created_at: at,
    },
  ],
  explorations: [
    {
      id: 'expl_1',
      experiment_id: 'exp_0000001p',
      baseline_analysis_id: 'ana_0000001p',
      name: 'n',
      created_at: at,
    },
  ],
  scenario_nodes: [
    { id: 'node_1', exploration_id: 'expl_1', scenario_type: 't', parameters: '{"b": [1]}', created_at: at },
  ],
  chart_insights: [{ ...run, chart_type: 'heatmap', insight_text: 'Bom' }],
  sensitivity_results: [{ ...run, feature_name: 'f', sensitivity_score: 0.5 }],
  region_analyses: [{ ...run, region_name: 'r', synth_count: 3, success_rate: 0.25 }],
  experiment_documents: [
    { id: 'doc_1', experiment_id: 'exp_0000001p', doc_type: 'summary', content: '# x', created_at: at },
  ],
  feature_scorecards: [
    { id: 'card_1', name: 'Checkout', description: 'd', data: '{"id": "card_1"}', created_at: at },
  ],
  simulation_runs: [{ id: 'sim_1', scorecard_id: 'card_1', config: '{}', started_at: at }],
};
