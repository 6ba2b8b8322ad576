import * as fc from 'fast-check';
import { textOf, type LegacyRow, type LegacyRows } from './legacy-file.ts';

const hex = (length: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'.split('')), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''));

// Mostly as it should be; what is rare in real files is common here.
const mostly = <T, U>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<U>): fc.Arbitrary<T | U> =>
  fc.oneof({ arbitrary: usual, weight: 100 }, { arbitrary: rare, weight: 1 });

const words = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => !text.includes('\0'));
const label = mostly(
  words.map((text) => `x${text}`),
  fc.constantFrom('', ' \t', 'a\0b', '😀 \\N \\. \t\n'),
);
const optional = fc.option(mostly(words, fc.constant('a\0b')), { nil: null });

const instant = fc.date({ min: new Date('1971-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
const micros = fc.integer({ min: 0, max: 999_999 }).map((count) => String(count).padStart(6, '0'));
const second = (at: Date): string => at.toISOString().slice(0, 19);

/** The four forms of the old system's times, and what is none. */
const time = mostly(
  fc.oneof(
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}+00:00`),
    instant.map((at) => `${second(at)}+00:00`),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}`),
    instant.map((at) => second(at).replace('T', ' ')),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at).replace('T', ' ')}.${fraction}`),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}Z`),
    fc.tuple(instant, micros).map(([at, fraction]) => `${second(at)}.${fraction}-03:30`),
  ),
  fc.constantFrom('', 'yesterday', '2025-02-30T00:00:00Z', '2025-01-01T00:00:00.1234567Z', '2025-01-01'),
);

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.constantFrom(
    '9007199254740993',
    '1.50',
    '-0.0',
    '1e-7',
    '1E+5',
    '123456789012345678901234567890.123',
    '100e-2',
  ),
);
const string = fc.oneof(
  words.map((text) => JSON.stringify(text)),
  fc.constantFrom(String.raw`"\u0041\/\ud83d\ude00"`, '"😀é"', String.raw`"\b\f\u001f"`),
);
const { document } = fc.letrec<{ document: string; value: string; object: string; array: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    number,
    string,
    fc.constantFrom('true', 'false', 'null'),
    tie('object'),
    tie('array'),
  ),
  object: fc
    .array(fc.tuple(string, tie('value')), { maxLength: 5 })
    .map((members) => `{${members.map(([key, value]) => `${key}: ${value}`).join(' ,')}}`),
  array: fc.array(tie('value'), { maxLength: 4 }).map((elements) => `[ ${elements.join(',\n')} ]`),
  document: tie('object'),
}));

/** What Python wrote into JSON columns, and PostgreSQL does not store. */
const unstorable = fc.constantFrom(
  'null',
  '{"a": [1, NaN]}',
  '{"a": -Infinity}',
  String.raw`{"a": "x\u0000"}`,
  String.raw`{"\u0000": 1}`,
  String.raw`{"a": "\ud800"}`,
  '{"a": 1',
  '',
  '[]',
  '{"a": 1e999999}',
);
const json = mostly(document, unstorable);
const list = mostly(
  document.map((element) => `[${element}]`),
  unstorable,
);
const rate = mostly(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(1.5, -0, Infinity));
const count = mostly(
  fc.integer({ min: 0, max: 1_000_000 }),
  fc.constantFrom(2n ** 31n, 2n ** 53n + 1n, -1, null),
);

const key = (prefix: string): fc.Arbitrary<string> =>
  mostly(hex(8), fc.constantFrom('é', '😀')).map((id) => `${prefix}_${id}`);
const oneOf = (keys: readonly string[]): fc.Arbitrary<string> =>
  mostly(keys.length === 0 ? fc.constant('none') : fc.constantFrom(...keys), fc.constant('gone'));
const perhaps = (keys: readonly string[]): fc.Arbitrary<string | null> =>
  fc.option(oneOf(keys), { nil: null });

type Columns = Record<string, fc.Arbitrary<LegacyRow[string]>>;

const table = (columns: Columns, names: readonly string[], maxLength = 5): fc.Arbitrary<LegacyRow[]> =>
  fc.uniqueArray(fc.record(columns), {
    maxLength,
    // SQLite tells NULLs apart, and so may keys be.
    comparator: (one, other) => one !== null && one === other,
    selector: (row) =>
      names.some((name) => row[name] === null) ? null : names.map((name) => textOf(row[name])).join('|'),
  });

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

/** Legacy databases of a few rows in each of the tables that hang together, with all that is known to lie in such files. */
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
      // In whatever order, with whatever parent: trees, cycles, and what hangs on cycles.
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

function constants<T extends LegacyRows>(rows: T): { [Table in keyof T]: fc.Arbitrary<T[Table]> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each table's rows behind a constant, as the type says
  return Object.fromEntries(Object.entries(rows).map(([name, all]) => [name, fc.constant(all)])) as never;
}
