import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { MigrationRefusedError, Migrator, squashMigrations } from 'mikro-orm-safe-migrations';
import { emptyDatabase } from './kit/database.ts';
import { nameOf, openOrm, projectOf, type Written } from './squash-project.ts';

type Settings = Pick<Written, 'lockTimeout' | 'statementTimeout'>;

function chainOf(one: Settings, two: Settings, more: Partial<Written> = {}): Record<string, Written> {
  return {
    one: { up: ['create table a (id int)'], down: ['drop table a'], ...one, ...more },
    two: { up: ['create table b (id int)'], down: ['drop table b'], ...two, ...more },
  };
}

describe('a squash has the timeouts that all its migrations have', () => {
  test.each<[string, Settings, Partial<Written>, Settings]>([
    ['no limit', { statementTimeout: 0 }, {}, { statementTimeout: 0 }],
    ['a lock timeout', { lockTimeout: 250 }, {}, { lockTimeout: 250 }],
    [
      'both',
      { lockTimeout: 250, statementTimeout: 5_000 },
      {},
      { lockTimeout: 250, statementTimeout: 5_000 },
    ],
    [
      'both, outside transactions',
      { lockTimeout: 250, statementTimeout: 0 },
      { transactional: false },
      { lockTimeout: 250, statementTimeout: 0 },
    ],
    ['none', {}, {}, {}],
  ])('%s', async (_, settings, more, expected) => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, {
      ...chainOf(settings, settings, more),
      empty: { up: [], lockTimeout: 7 },
    });
    const before = await new Migrator(open()).planUp();

    const squash = await squashMigrations(open(), { to: names[2] ?? '' });

    const source = await readFile(squash.path, 'utf8');
    const members = [...source.matchAll(/^  readonly (\w+Timeout) = (\d+);$/gm)];
    expect(Object.fromEntries(members.map(([, name, value]) => [name, Number(value)]))).toEqual(expected);
    const timeouts = (plans: typeof before) => [
      ...new Set(
        plans.flatMap(({ statements }) =>
          statements.filter((sql) => /^set (?:local )?lock_timeout/.test(sql) && !sql.includes("'7ms'")),
        ),
      ),
    ];
    const squashed = new Migrator(openOrm(db, { path }));
    expect(timeouts(await squashed.planUp())).toEqual(timeouts(before));
    expect(await squashed.up()).toMatchObject([{ name: squash.name }]);
  });
});

describe('a squash of migrations with different timeouts is refused, and writes and deletes nothing', () => {
  test.each<[string, Settings, Settings, string]>([
    [
      'one without a limit',
      { statementTimeout: 0 },
      {},
      `statementTimeout for all its statements, .*\n  0: ${nameOf(0, 'one')}\n  none: ${nameOf(1, 'two')}$`,
    ],
    [
      'two lock timeouts',
      { lockTimeout: 250 },
      { lockTimeout: 500 },
      `lockTimeout for all its statements, .*\n  250: ${nameOf(0, 'one')}\n  500: ${nameOf(1, 'two')}$`,
    ],
    ['a short one', {}, { statementTimeout: 100 }, 'none: .*one\n  100: .*two$'],
  ])('%s', async (_, one, two, reason) => {
    const { path, names, open } = await projectOf(await emptyDatabase(), chainOf(one, two));

    const squashing = squashMigrations(open(), { to: names[1] ?? '' });

    await expect(squashing).rejects.toThrow(MigrationRefusedError);
    await expect(squashing).rejects.toThrow(new RegExp(reason));
    expect((await readdir(path)).toSorted()).toEqual(names.map((name) => `${name}.ts`));
  });
});
