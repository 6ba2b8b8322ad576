import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.ts';
import { InvalidBackfillError } from '../../../src/index.ts';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import { plans, portfolios, referencesOrm } from './world.ts';

// Nothing listens there: a connection attempt would fail.
const database = new Database(
  referencesOrm(parseDatabaseUrl('postgresql://nobody@127.0.0.1:1/nowhere', 'url')),
);

/** Returns the issues of a configuration, one line each. */
async function issuesOf(config: unknown): Promise<string[]> {
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as it comes from a file
    await backfillReferences(database, config as never, [], { planOnly: true });
  } catch (error) {
    if (error instanceof InvalidBackfillError)
      return error.issues.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
}

const target = (name: string, ...dependsOn: string[]): object => ({ ...plans, name, dependsOn });

/** Returns the names of targets in the order in which they run. */
async function order(...targets: object[]): Promise<string[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- targets made above
  const plan = await backfillReferences(database, { targets } as never, [], { planOnly: true });
  return plan.targets.map(({ name }) => name);
}

describe('the configuration of a backfill', () => {
  test.each([
    [['a → a'], [target('a', 'a')]],
    [['a → b → a'], [target('a', 'b'), target('b', 'a')]],
    [['b → c → d → b'], [target('a', 'b'), target('b', 'c'), target('c', 'd'), target('d', 'b')]],
    [
      ['a → b → a', 'c → c'],
      [target('a', 'b'), target('b', 'a'), target('c', 'c')],
    ],
    [['a → c → a'], [target('a', 'b', 'c'), target('b'), target('c', 'b', 'a')]],
  ])('refuses circular dependencies with their paths: %j', async (ways, targets) => {
    const issues = await issuesOf({ targets });

    expect(issues.map((issue) => issue.replace(/^.*: circular dependency: /, ''))).toEqual(ways);
    expect(issues[0]).toMatch(/^targets\.\d\.dependsOn: /);
  });

  test('reports every issue with its path', async () => {
    const issues = await issuesOf({
      savepoint: true,
      targets: [
        { ...plans, entity: 'Nobody', mode: 'replace' },
        { ...plans, entity: 'Nobody' },
        { ...plans, source: ['a', 'b'], key: ['name'], dependsOn: ['nothing'] },
        {
          ...portfolios,
          columns: [
            { target: 'name', aggregation: 'count_distinct', source: 'x' },
            { target: 'missing', source: 'x' },
            { target: 'plan', source: 'x' },
          ],
        },
        {
          ...plans,
          name: 'filled',
          mode: 'fill_null_only',
          columns: [
            { target: 'portfolioCount', source: 'x' },
            { target: 'rowVersion', source: 'x' },
            { target: 'name', aggregation: 'template', template: 'a { b' },
          ],
          tracking: { source: { now: true }, amount: 'much', tags: 'x' },
        },
        { ...portfolios, name: 'incomplete', columns: [] },
        { ...plans, name: 'empty', mode: 'fill_null_only' },
      ],
    });

    expect(issues).toEqual([
      'targets.0.mode: Invalid option: expected one of "insert_missing"|"fill_null_only"',
      '(configuration): Unrecognized key: "savepoint"',
      expect.stringMatching(
        /^targets\.1\.entity: unknown entity "Nobody"; expected one of: AnalysisCache, .*Plan,/,
      ),
      'targets.2.source: source has 2 properties, and key has 1; they must pair up',
      'targets.2.key: (name) is not unique in Plan; unique: (id)',
      'targets.2.columns: Plan requires id; add a column for each',
      'targets.3.columns.0.target: count_distinct returns integer or double precision, but name is text',
      'targets.3.columns.1.target: unknown property "missing"; Portfolio has id, plan, code, name',
      'targets.3.columns.2.target: Portfolio.plan is written by another part of the target',
      'targets.4.columns.0.target: Plan.portfolioCount is NOT NULL, so there is nothing to fill',
      "targets.4.columns.1.target: Plan.rowVersion is the row version, which can't be written",
      expect.stringMatching(/^targets\.4\.columns\.2\.template: a brace is unmatched/),
      'targets.4.tracking.source: { "now": true } needs a column of type timestamptz, but Plan.source is text',
      'targets.4.tracking.amount: the value is not a finite number',
      "targets.4.tracking.tags: the value can't be written into a jsonb column",
      'targets.5.columns: Portfolio requires name; add a column for each',
      'targets.6.columns: mode "fill_null_only" needs at least one column',
      'targets.2.name: name "plans" is used by targets.1 already; names must be unique',
      'targets.2.dependsOn.0: unknown target "nothing"',
    ]);
  });

  test.each([
    [null, '(configuration)'],
    [{}, 'targets'],
    [{ targets: [] }, 'targets'],
    [{ targets: 5 }, 'targets'],
    [{ targets: [null] }, 'targets.0'],
    [{ targets: [{ ...plans, name: '  ' }] }, 'targets.0.name'],
    [{ targets: [{ ...plans, source: [] }] }, 'targets.0.source'],
    [{ targets: [{ ...plans, columns: [{ target: 'name' }] }] }, 'targets.0.columns.0.source'],
    [
      { targets: [{ ...plans, columns: [{ target: 'name', source: 'a', aggregation: 'max_by' }] }] },
      'targets.0.columns.0.order',
    ],
    [
      { targets: [{ ...plans, columns: [{ target: 'name', source: 'a', aggregation: 'eval' }] }] },
      'targets.0.columns.0.aggregation',
    ],
    [
      { targets: [{ ...plans, columns: [{ target: 'name', source: 'a', code: '1' }] }] },
      'targets.0.columns.0',
    ],
    [{ targets: [{ ...plans, tracking: { source: { code: 'x' } } }] }, 'targets.0.tracking.source'],
  ])('%j is refused with its path', async (config, path) => {
    const [issue] = await issuesOf(config);

    expect(issue?.split(': ')[0]).toBe(path);
  });

  test('is valid as the guide shows it', async () => {
    const guide = await readFile('docs/backfill.md', 'utf8');
    const [, example = ''] = /```json\n(.*?)```/s.exec(guide) ?? [];

    expect(await issuesOf(JSON.parse(example))).toEqual([]);
  });

  test('opens no connection before it runs', async () => {
    const config = { targets: [plans] };

    await expect(backfillReferences(database, config, [], { planOnly: true })).resolves.toMatchObject({
      facts: 0,
    });
    await expect(backfillReferences(database, config, [])).rejects.toThrow(/no server is listening/);
  });

  test('runs targets in the order of their dependencies', async () => {
    expect(await order(target('c'), target('a'), target('b'))).toEqual(['c', 'a', 'b']);
    expect(await order(target('a', 'b'), target('b', 'c'), target('c'))).toEqual(['c', 'b', 'a']);
    expect(await order(target('d', 'b', 'c'), target('b', 'a'), target('a'), target('c', 'a'))).toEqual([
      'a',
      'b',
      'c',
      'd',
    ]);
    expect(await order(target('b', 'a'), target('a'), target('c'))).toEqual(['a', 'c', 'b']);
  });
});
