import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Precheck } from 'mikro-orm-safe-migrations';
import { migratorOn, TestDatabase } from './kit/database.ts';
import type { Migrations } from './project.ts';
import { failingUps } from './prechecks/failing.ts';
import { goodUps } from './prechecks/good.ts';
import { tables } from './prechecks/tables.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(tables);
});
afterAll(() => db.drop());

const version = Number(process.env['PG_MAJOR'] ?? 18);
// `merge` came with 15.
const runnable = goodUps.filter(({ title }) => version >= 15 || !title.includes('merge into'));

/** Runs `up`, and returns what it counted and how it ended. */
async function upOn(on: TestDatabase, migrations: Migrations) {
  const found: Precheck[] = [];
  const migrator = migratorOn(on, migrations, {
    onEvent: (event) => {
      if (event.kind === 'prechecked') found.push(...event.prechecks);
    },
  });
  const error = await migrator.up().then(
    () => null,
    (reason: unknown) => reason,
  );
  const refused = found.filter(({ outcome }) => outcome === 'refused');
  return { found, refused, error, status: await migrator.status() };
}

describe('up refuses before it applies anything', () => {
  test.each(failingUps.map((one) => [`${one.kind}: ${one.up.join('; ')}`, one] as const))(
    '%s',
    async (_, { kind, up, rows }) => {
      const isCounted = rows.startsWith('select');
      const [first] = isCounted ? await db.orm.em.execute<{ count: string }[]>(rows) : [{ count: '1' }];
      const expected = Number(first?.count);
      expect(expected).toBeGreaterThan(0);
      // The statements do fail.
      await expect(
        db.orm.em.transactional(async (em) => {
          for (const sql of up) await em.execute(sql);
          await em.execute('set constraints all immediate');
          throw new Error('it does not fail');
        }),
      ).rejects.not.toThrow('it does not fail');

      const { error, refused, status } = await upOn(db, { M1: { up } });

      expect(error).toMatchObject({ code: 'refused' });
      expect(status).toMatchObject([{ condition: 'pending' }]);
      const isFirst = refused.length > 0 && refused.every(({ isLowerBound }) => isLowerBound);
      // Before 16, PostgreSQL names the first text that it can't convert.
      const isNamedOnly = version < 16 && kind === 'type change' && isFirst;
      expect(refused.map((one) => one.rows)).toContain(isNamedOnly ? 1 : expected);
      expect(isFirst).toBe(!isCounted || isNamedOnly);
      const listed = refused.flatMap(({ query, rows: count }) => (query === null ? [] : [{ query, count }]));
      for (const { query, count } of listed)
        expect(await db.orm.em.execute(`select count(*)::int as count from (${query}) as listed`)).toEqual([
          { count },
        ]);
    },
  );
});

describe('up applies', () => {
  let template: TestDatabase;

  beforeAll(async () => {
    template = await TestDatabase.create();
    await template.orm.em.execute(tables);
    await template.orm.close(true);
  });
  afterAll(() => template.drop());

  test.each(runnable.map((one) => [one.title, one] as const))('%s', async (_, { migrations }) => {
    await using copy = await TestDatabase.create(undefined, template.target.parts.database);

    const { error, refused } = await upOn(copy, migrations);

    expect(refused).toEqual([]);
    expect(error).toBeNull();
  });
});
