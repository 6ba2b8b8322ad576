import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { Database } from '../../../src/database/database.ts';
import { InvalidBackfillError } from '../../../src/index.ts';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import { parseDatabaseUrl } from '../../../src/settings/database-url.ts';
import { plans, portfolios, referencesOrm } from './world.ts';

// Nothing listens there: whatever asked for a connection would fail otherwise.
const database = new Database(
  referencesOrm(parseDatabaseUrl('postgresql://nobody@127.0.0.1:1/nowhere', 'url')),
);

/** What is wrong with a configuration, a line each. */
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

/** In which order targets are worked on. */
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
  ])('C4 g: whose targets depend on themselves is refused with the way: %j', async (ways, targets) => {
    const issues = await issuesOf({ targets });

    expect(issues.map((issue) => issue.replace(/^.*: it depends on itself: /, ''))).toEqual(ways);
    expect(issues[0]).toMatch(/^targets\.\d\.dependsOn: /);
  });

  test('that has many faults is told all of them, each with its place', async () => {
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
      expect.stringMatching(/^targets\.1\.entity: "Nobody" is no entity; there are AnalysisCache, .*Plan,/),
      "targets.2.source: it names 2 of the facts' properties for 1 of the key",
      'targets.2.key: (name) is not unique in Plan; unique are (id)',
      'targets.2.columns: a row of Plan needs id',
      'targets.3.columns.0.target: count_distinct makes integer or double precision, but name is text',
      'targets.3.columns.1.target: "missing" is no property of Portfolio; it has id, plan, code, name',
      'targets.3.columns.2.target: Portfolio.plan is written by another part of the target',
      'targets.4.columns.0.target: Plan.portfolioCount is never NULL, so that there is nothing to fill',
      'targets.4.columns.1.target: Plan.rowVersion counts changes, and is not for others to write',
      expect.stringMatching(/^targets\.4\.columns\.2\.template: a brace has no partner/),
      'targets.4.tracking.source: Plan.source is no time',
      'targets.4.tracking.amount: the value is no finite number',
      'targets.4.tracking.tags: the value is no document',
      'targets.5.columns: a row of Portfolio needs name',
      'targets.6.columns: there is none to fill',
      'targets.2.name: "plans" is targets.1 already',
      'targets.2.dependsOn.0: there is no target "nothing"',
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
  ])('%j is refused with its place', async (config, path) => {
    const [issue] = await issuesOf(config);

    expect(issue?.split(': ')[0]).toBe(path);
  });

  test('is right as the guide shows it', async () => {
    const guide = await readFile('docs/backfill.md', 'utf8');
    const [, example = ''] = /```json\n(.*?)```/s.exec(guide) ?? [];

    expect(await issuesOf(JSON.parse(example))).toEqual([]);
  });

  test('that is right opens no connection before it is used', async () => {
    const config = { targets: [plans] };

    await expect(backfillReferences(database, config, [], { planOnly: true })).resolves.toMatchObject({
      facts: 0,
    });
    await expect(backfillReferences(database, config, [])).rejects.toThrow(/nothing listens/);
  });

  test('may be given in any order, and is worked on in that of the dependencies', async () => {
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
