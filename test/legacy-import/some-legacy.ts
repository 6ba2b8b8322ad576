import * as fc from 'fast-check';
import { formatValue, type LegacyRow, type LegacyRows } from './legacy-file.ts';
import { count, hex, json, label, list, mostly, optional, rate, time, words } from './legacy-values.ts';

const key = (prefix: string): fc.Arbitrary<string> =>
  mostly(hex(8), fc.constantFrom('é', '😀')).map((id) => `${prefix}_${id}`);
const oneOf = (keys: readonly string[]): fc.Arbitrary<string> =>
  mostly(keys.length === 0 ? fc.constant('none') : fc.constantFrom(...keys), fc.constant('gone'));
const perhaps = (keys: readonly string[]): fc.Arbitrary<string | null> =>
  fc.option(oneOf(keys), { nil: null });

type Columns = Record<string, fc.Arbitrary<LegacyRow[string]>>;

// Rows that differ in their keys, and in what else is unique: SQLite holds to both, and tells NULLs apart.
const table = (columns: Columns, unique: readonly string[], maxLength = 5): fc.Arbitrary<LegacyRow[]> =>
  fc.uniqueArray(fc.record(columns), {
    maxLength,
    selector: (row) => [unique, ...('id' in columns ? [['id']] : [])].map((names) => within(row, names)),
    comparator: (one, other) => one.some((values, index) => values !== null && values === other[index]),
  });

const within = (row: LegacyRow, names: readonly string[]): string | null =>
  names.some((name) => row[name] === null) ? null : names.map((name) => formatValue(row[name])).join('|');

const keysOf = (rows: readonly LegacyRow[], name = 'id'): string[] =>
  rows.map((row) => row[name]).filter((value) => typeof value === 'string');

const five = (ids: readonly string[]): fc.Arbitrary<string | null> =>
  fc.oneof(
    hex(8).map((id) => `out_${id}`),
    hex(12).map((id) => `out_${id}`),
    fc.tuple(oneOf(ids), hex(6)).map((parts) => parts.join('_')),
    hex(8),
    fc.constant(null),
  );

/** Legacy databases of a few rows in each table, with all that is known to lie in such files. */
export const someLegacy: fc.Arbitrary<LegacyRows> = fc
  .record({
    synth_groups: table({ id: key('grp'), name: label, description: optional, created_at: time }, ['id']),
    experiments: table(
      {
        id: key('exp'),
        name: label,
        hypothesis: label,
        scorecard_data: fc.option(json, { nil: null }),
        created_at: time,
        updated_at: fc.option(time, { nil: null }),
        status: mostly(fc.constantFrom('active', 'deleted'), fc.constant('gone')),
      },
      ['id'],
    ),
  })
  .chain(({ synth_groups, experiments }) => {
    const parents = keysOf(experiments);
    return fc.record({
      synth_groups: fc.constant(synth_groups),
      experiments: fc.constant(experiments),
      synths: table(
        {
          id: mostly(hex(6), fc.constant(null)),
          synth_group_id: perhaps(keysOf(synth_groups)),
          nome: label,
          created_at: time,
          version: mostly(fc.constant('2.0.0'), fc.constant(null)),
          data: fc.option(json, { nil: null }),
        },
        ['id'],
      ),
      analysis_runs: table(
        {
          id: key('ana'),
          experiment_id: oneOf(parents),
          config: json,
          started_at: time,
          total_synths: count,
          execution_time_seconds: fc.option(rate, { nil: null }),
        },
        ['experiment_id'],
      ),
      feature_scorecards: table(
        { id: hex(8), experiment_id: perhaps(parents), data: json, created_at: time },
        ['id'],
      ),
      research_executions: table(
        {
          exec_id: hex(4).map((id) => `batch_exp_exp_${id}`),
          experiment_id: perhaps(parents),
          topic_name: label,
          started_at: time,
          synth_count: fc.integer({ min: 0, max: 9 }),
          max_turns: count,
        },
        ['exec_id'],
      ),
    });
  })
  .chain((before) => {
    const [runs, experiments] = [keysOf(before.analysis_runs), keysOf(before.experiments)];
    const nodes = ['node_1', 'node_2', 'node_3', 'node_4', 'node_5'];
    return fc.record({
      ...constants(before),
      synth_outcomes: table(
        {
          id: five(runs),
          analysis_id: oneOf(runs),
          synth_id: hex(3),
          did_not_try_rate: rate,
          failed_rate: rate,
          success_rate: rate,
          synth_attributes: fc.option(json, { nil: null }),
        },
        ['analysis_id', 'synth_id'],
        8,
      ),
      transcripts: table(
        {
          id: fc.option(fc.uuid(), { nil: null }),
          exec_id: oneOf(keysOf(before.research_executions, 'exec_id')),
          synth_id: hex(3),
          synth_name: words,
          timestamp: time,
          messages: fc.option(list, { nil: null }),
          turn_count: count,
        },
        ['exec_id', 'synth_id'],
      ),
      analysis_cache: table(
        {
          analysis_id: oneOf(runs),
          cache_key: fc.constantFrom('heatmap', 'elbow', 'insight_x'),
          data: json,
          params: fc.constant('null'),
          computed_at: time,
        },
        ['analysis_id', 'cache_key'],
      ),
      ...unreferencedTables(before),
      explorations: table(
        {
          id: fc.constantFrom('expl_1', 'expl_2'),
          experiment_id: oneOf(experiments),
          baseline_analysis_id: oneOf(runs),
          goal: json,
          config: json,
          started_at: time,
        },
        ['id'],
      ),
      // In any order, with any parent: trees, cycles, and trees below cycles.
      scenario_nodes: table(
        {
          id: fc.constantFrom(...nodes),
          exploration_id: fc.constantFrom('expl_1', 'expl_2'),
          parent_id: fc.option(fc.constantFrom(...nodes), { nil: null }),
          depth: fc.integer({ min: 0, max: 3 }),
          scorecard_params: json,
          created_at: time,
        },
        ['id'],
      ),
    });
  });

/** Tables that no other table references. */
function unreferencedTables(
  before: Readonly<Record<'experiments' | 'feature_scorecards', readonly LegacyRow[]>>,
) {
  const experiments = keysOf(before.experiments);
  const simulation = mostly(
    hex(8).map((id) => `sim_${id}`),
    fc.constant(''),
  );
  return {
    interview_guide: table(
      {
        experiment_id: oneOf(experiments),
        context_definition: optional,
        questions: optional,
        context_examples: optional,
        created_at: time,
        updated_at: fc.option(time, { nil: null }),
      },
      ['experiment_id'],
    ),
    simulation_runs: table(
      {
        id: simulation,
        scorecard_id: oneOf(keysOf(before.feature_scorecards)),
        scenario_id: fc.constantFrom('baseline', 'crisis'),
        config: json,
        status: mostly(fc.constantFrom('pending', 'completed'), fc.constant('gone')),
        started_at: time,
        total_synths: count,
        aggregated_outcomes: fc.option(json, { nil: null }),
      },
      ['id'],
    ),
    region_analyses: table(
      {
        id: hex(8).map((id) => `region_${id}`),
        simulation_id: simulation,
        rules: list,
        rule_text: words,
        synth_count: fc.nat(100),
        synth_percentage: rate,
        did_not_try_rate: rate,
        failed_rate: rate,
        success_rate: rate,
        failure_delta: rate,
      },
      ['id'],
    ),
    sensitivity_results: table(
      {
        id: hex(12).map((id) => `sens_${id}`),
        simulation_id: simulation,
        analyzed_at: time,
        deltas_used: mostly(fc.constantFrom('[0.05, 0.1]', '[]'), list),
        baseline_success: rate,
        most_sensitive_dimension: label,
        dimensions: list,
        created_at: time,
      },
      ['id'],
    ),
    chart_insights: table(
      {
        id: fc.option(
          hex(12).map((id) => `ins_${id}`),
          { nil: null },
        ),
        simulation_id: simulation,
        insight_type: mostly(fc.constantFrom('heatmap', 'executive_summary'), label),
        response_json: json,
        created_at: time,
        updated_at: time,
      },
      ['simulation_id', 'insight_type'],
    ),
    experiment_documents: table(
      {
        id: hex(8).map((id) => `doc_${id}`),
        experiment_id: oneOf(experiments),
        document_type: mostly(fc.constantFrom('summary', 'prfaq', 'executive_summary'), fc.constant('gone')),
        markdown_content: mostly(words, fc.constant('')),
        metadata: fc.option(json, { nil: null }),
        generated_at: time,
        model: fc.option(label, { nil: null }),
        error_message: optional,
      },
      ['experiment_id', 'document_type'],
    ),
  };
}

function constants<T extends LegacyRows>(rows: T): { [Table in keyof T]: fc.Arbitrary<T[Table]> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each table's rows behind a constant, as the type says
  return Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, fc.constant(all)])) as never;
}
