import { describe, expect, test } from 'vitest';
import { emptyDatabase, migratorOn } from './kit/database.ts';
import { conditionsOf, first, second, third, threeTables } from './three-tables.ts';

describe('older code on a database that newer code has migrated', () => {
  const { [third]: _, ...older } = threeTables;

  test('finds nothing to do where that is allowed', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, threeTables).up();

    await expect(migratorOn(db, older).up()).rejects.toThrow(`${third} is applied and newer than this code`);
    expect(await migratorOn(db, older).up({ allowAhead: true })).toEqual([]);
    expect(await conditionsOf(migratorOn(db, older))).toEqual(['applied', 'applied', 'ahead']);
  });

  test('applies nothing of its own', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, { [first]: threeTables[first], [third]: threeTables[third] }).up();

    await expect(migratorOn(db, older).up({ allowAhead: true, allowOutOfOrder: true })).rejects.toMatchObject(
      {
        code: 'refused',
      },
    );
  });
});

const names = (runs: { name: string }[]): string[] => runs.map(({ name }) => name);

describe('a target', () => {
  test.each([
    ['+1', [first]],
    ['+2', [first, second]],
    ['Migration2', [first, second]],
    ['2_second', [first, second]],
    [second, [first, second]],
  ])('of up may be %s', async (to, applied) => {
    expect(names(await migratorOn(await emptyDatabase(), threeTables).up({ to }))).toEqual(applied);
  });

  test.each([
    ['-1', [third]],
    ['-2', [third, second]],
    ['1_first', [third, second]],
  ])('of down may be %s', async (to, reverted) => {
    const migrator = migratorOn(await emptyDatabase(), threeTables);
    await migrator.up();

    expect(names(await migrator.down({ to }))).toEqual(reverted);
  });

  test.each([
    ['up', '+4', '+4 is no target: 3 migrations are pending'],
    ['up', '+0', '+0 is no target: 3 migrations are pending'],
    ['up', 'Migration', '"Migration" is the beginning of 3 migrations'],
    ['down', '-3', '-3 is no target: 0 migrations are applied; `all` reverts every one'],
    ['down', '-0', '-0 is no target'],
  ] as const)('of %s is refused for %s', async (direction, to, says) => {
    await expect(migratorOn(await emptyDatabase(), threeTables)[direction]({ to })).rejects.toThrow(says);
  });
});
