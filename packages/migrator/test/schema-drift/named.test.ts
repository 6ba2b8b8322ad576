import type { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Migrator, summarizeDrift, type SchemaDrift } from 'mikro-orm-safe-migrations';
import { IgnoredObjects } from '../../src/catalog/ignored-objects.ts';
import { findDriftIn } from '../../src/drift/find-drift.ts';
import { tablesOf } from '../../src/ledger/tables.ts';
import { inTransaction } from '../../src/session/session.ts';
import { drifts } from '../drift.ts';
import { driftProject } from '../drift-project.ts';
import { TestDatabase } from '../kit/database.ts';
import { linesOf, moreDrifts, noDrift } from './changes.ts';

describe('names a manual change', () => {
  let db: TestDatabase;
  let orm: MikroORM;

  beforeAll(async () => {
    db = await TestDatabase.create();
    orm = driftProject(db.url);
    await new Migrator(orm).up();
  });
  afterAll(async () => {
    await orm.close(true);
    await db.drop();
  });

  const inCheck = drifts.map(
    ([kind, sql, ...lines]) =>
      [
        kind,
        sql,
        ...lines.map((line) =>
          line
            .replace('not in the database, made by the migrations', 'missing')
            .replace('in the database, not made by the migrations', 'added')
            .replace(' in the database, ', ' now, ')
            .replace(/ by the migrations$/, ' before'),
        ),
      ] as const,
  );

  test.each([...inCheck, ...moreDrifts])('%s', async (_, sql, ...lines) => {
    const changed = new Error('rolled back');
    let found: SchemaDrift = noDrift;

    const work = inTransaction(orm, async (session) => {
      await session.query(sql);
      found = await findDriftIn(session, {
        schema: 'migrator',
        tables: tablesOf(orm, 'migrator'),
        ignored: new IgnoredObjects(),
      });
      throw changed;
    });

    await expect(work).rejects.toBe(changed);
    expect(linesOf(found)).toEqual(lines);
    expect(await new Migrator(orm).drift()).toEqual(noDrift);
  });
});

test('the summary has the first ten differences, in 80 columns, and the number of the others', () => {
  const many = Array.from({ length: 12 }, (_, index) => ({
    object: `table t${index}`,
    part: 'index i',
    fact: 'definition',
    expected: 'CREATE INDEX i ON public.t USING btree (one, two, three) WHERE (one > 1)',
    found: 'CREATE INDEX i ON public.t USING btree (one, two) WHERE (one > 1)',
  }));

  expect(summarizeDrift(many)).toEqual([
    ...Array.from({ length: 10 }, (_, index) => `table t${index}: index i: definition changed`),
    'and 2 more',
  ]);
});
