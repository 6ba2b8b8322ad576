import type { EntityManager } from '@mikro-orm/postgresql';

// One row per table with nothing but what it can't do without; parents first. The key is the table's own name.
const bare = `
  insert into synth_groups (id, name) values ('synth_groups', 'n');
  insert into synths (id, nome) values ('synths', 'n');
  insert into experiments (id, name, hypothesis) values ('experiments', 'n', 'h');
  insert into interview_guide (experiment_id) values ('experiments');
  insert into analysis_runs (id, experiment_id, config, started_at) values ('analysis_runs', 'experiments', '{}', '2026-01-02');
  insert into synth_outcomes (id, analysis_id, synth_id, did_not_try_rate, failed_rate, success_rate)
    values ('synth_outcomes', 'analysis_runs', 'gone', 0, 0, 1);
  insert into analysis_cache (analysis_id, cache_key, data, computed_at) values ('analysis_runs', 'scatter', '{}', '2026-01-02');
  insert into research_executions (exec_id, topic_name, started_at) values ('research_executions', 't', '2026-01-02');
  insert into transcripts (id, exec_id, synth_id, synth_name, "timestamp")
    values ('transcripts', 'research_executions', 'gone', 'n', '2026-01-02');
  insert into explorations (id, experiment_id, baseline_analysis_id, goal, config, started_at)
    values ('explorations', 'experiments', 'analysis_runs', '{}', '{}', '2026-01-02');
  insert into scenario_nodes (id, exploration_id, scorecard_params) values ('scenario_nodes', 'explorations', '{}');
  insert into chart_insights (id, simulation_id, insight_type, response_json) values ('chart_insights', 'gone', 'scatter', '{}');
  insert into sensitivity_results (id, simulation_id, analyzed_at, deltas_used, baseline_success, most_sensitive_dimension, dimensions)
    values ('sensitivity_results', 'gone', '2026-01-02', '[]', 0, 'complexity', '[]');
  insert into region_analyses (id, simulation_id, rules, rule_text, synth_count, synth_percentage, did_not_try_rate, failed_rate,
      success_rate, failure_delta)
    values ('region_analyses', 'gone', '[]', '', 0, 0, 0, 0, 1, 0);
  insert into experiment_documents (id, experiment_id, document_type, markdown_content, generated_at)
    values ('experiment_documents', 'experiments', 'summary', '', '2026-01-02');
  insert into feature_scorecards (id, data) values ('feature_scorecards', '{}');
  insert into simulation_runs (id, scorecard_id, scenario_id, config, started_at)
    values ('simulation_runs', 'feature_scorecards', 'baseline', '{}', '2026-01-02')`;

// What text, time, numbers and documents may hold at their edges.
const text = `E' “Não\\\\sei” 😀\\t\\'"{NULL}\\n'`;
const micros = `'2026-12-31 23:59:59.999999+14'`;
const ancient = `'0001-01-01 00:00:00.000001+00'`;
const document = `'{"": null, "\\\\u0001": [{"deep": [[]]}, 1e40, 0.1000, -0, "😀"], "n": 12345678901234567890}'`;
const most = 2_147_483_647;

// One row per table with a value in every column of the first migration, taken to the edge of what the later rules allow.
const full = `
  insert into synth_groups values (${text}, ${text}, '', ${micros});
  insert into synths values (${text}, ${text}, '', ${text}, '', ' ', ${ancient}, '', ${document});
  insert into experiments values ('e', repeat('😀', 100), repeat('é', 500), repeat('ç', 2000), ${document}, ${ancient}, ${micros}, 'deleted');
  insert into interview_guide values ('e', ${text}, '', ${text}, ${micros}, ${ancient});
  insert into analysis_runs values ('a', 'e', '', ${document}, 'failed', ${ancient}, ${micros}, ${most}, '{}', 1e-300);
  insert into synth_outcomes values ('a_synth1', 'a', 'synth1', 0, 0.1, 1, ${document}), ('o', 'a', ${text}, 5e-324, 1, 0, '{}');
  insert into analysis_cache values ('a', ${text}, ${document}, ${document}, ${micros}), ('a', 'k', '{}', null, 'infinity');
  insert into research_executions values
    ('batch_exp_1_20260102_030405', 'e', ${text}, 'generating_summary', ${most}, ${most}, 0, '', 0, ${ancient}, '-infinity', ${text});
  insert into transcripts values
    (${text}, 'batch_exp_1_20260102_030405', ${text}, '', '', ${most}, ${micros}, '[null, {"text": "😀"}]');
  insert into explorations values
    ('x', 'e', 'a', ${document}, '{}', 'no_viable_paths', ${most}, ${most}, ${most}, 1, ${ancient}, ${micros});
  insert into scenario_nodes values
    ('root', 'x', null, 0, null, null, null, null, '{}', null, null, 'expansion_failed', ${ancient}),
    ('leaf', 'x', 'root', ${most}, repeat('😀', 500), '', repeat('é', 200), repeat('😀', 30), ${document}, ${document}, 0, 'winner', ${micros}),
    ('self', 'x', 'self', 1, '', '', '', '', '{}', '{}', 1e308, 'dominated', ${micros});
  insert into chart_insights values (${text}, ${text}, '', ${document}, ${ancient}, ${micros});
  insert into sensitivity_results values (${text}, ${text}, ${micros}, '[1e40]', 1, '', '[[], {}]', ${ancient});
  insert into region_analyses values (${text}, ${text}, '[{}]', ${text}, ${most}, 100, 0, 1, 0.5, -1e308);
  insert into experiment_documents values ('d', 'e', 'prfaq', ${text}, ${document}, ${micros}, '', 'partial', ${text});
  insert into feature_scorecards values ('a1b2c3d4', 'e', ${document}, ${ancient}, ${micros});
  insert into simulation_runs values ('s', 'a1b2c3d4', ${text}, ${document}, 'running', ${ancient}, ${micros}, ${most}, '{}', 0)`;

/**
 * Writes a row into each table that is there yet, its key the table's name (or its parent's), with defaults wherever there are.
 */
export async function insertBareRows(em: EntityManager): Promise<void> {
  const there = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace`,
  );
  const tables = new Set(there.map(({ name }) => name));
  const inserts = bare.split(';').filter((insert) => tables.has(/insert into (\w+)/.exec(insert)?.[1] ?? ''));
  await em.execute(inserts.join(';'));
}

/** Writes rows with edge values into each column of each table, as they are after the first migration. */
export async function insertFullRows(em: EntityManager): Promise<void> {
  await em.execute(full);
}
