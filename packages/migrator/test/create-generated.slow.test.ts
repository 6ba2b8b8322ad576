import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { createdProject, outcomeOf, tableOf, valuesOf } from './created-project.ts';

const made = (type: string, expression: string) =>
  `create table t (id serial primary key, a numeric null, s text null, v ${type} generated always as (${expression}) stored)`;

const entity = (type: string, expression: string, options: Record<string, unknown> = {}) =>
  tableOf(
    't',
    {
      a: p.decimal().columnType('numeric').nullable(),
      s: p.text().nullable(),
      v: p.string().columnType(type).nullable().generated(`(${expression}) stored`),
    },
    options,
  );

describe('a generated column that gets another type is computed again', () => {
  test.each([
    ['int', 'bigint', 'a * 2', '{"v": 3}'],
    ['numeric(10,2)', 'numeric(10,4)', 'a / 3', '{"v": 0.5000}'],
    ['numeric(10,0)', 'numeric(10,2)', 'a', '{"v": 1.50}'],
    ['text', 'varchar(5)', 's', '{"v": "7"}'],
    ['double precision', 'text', 's::double precision', '{"v": "7"}'],
    ['text', 'int', 's::int', '{"v": 7}'],
  ])('%s to %s', async (from, to, expression, expected) => {
    const { db, migrator, source } = await createdProject({
      made: [made(from, expression)],
      rows: [`insert into t (a, s) values (1.5, '7')`],
      entities: [entity(to, expression)],
    });
    const before = [await valuesOf(db, 'select * from t'), await readCatalog(db.orm)];

    expect(source).toContain(' * Changes t.');
    expect(source).toContain(' * Locks: can stop reads and writes of t until it has committed.');
    expect(source).toContain('Going back loses nothing.');
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await valuesOf(db, 'select v from t')).toEqual([expected]);
    expect(await migrator.check()).toMatchObject({ agrees: true });

    expect(await outcomeOf(migrator.down())).toBe('done');
    expect([await valuesOf(db, 'select * from t'), await readCatalog(db.orm)]).toEqual(before);
  });

  test.each([
    ['its type', 'bigint', 'id * 2'],
    ['its expression', 'int', 'id * 3'],
    ['both', 'bigint', 'id * 3'],
  ])('with its indexes, constraints and statistics, when %s changes', async (_, type, expression) => {
    const { db, migrator } = await createdProject({
      made: [
        made('int', 'id * 2'),
        'create index by_v on t (v desc) where a > 0',
        'create index over_v on t ((v + 1))',
        'alter table t add constraint one_v unique (v)',
        'alter table t add constraint some_v check (v > 0)',
        'create statistics facts on v, a from t',
      ],
      entities: [entity(type, expression)],
    });
    const before = await readCatalog(db.orm);
    const parts = () =>
      valuesOf(
        db,
        `select pg_get_indexdef(indexrelid) as d from pg_index where indrelid = 't'::regclass
         union all select pg_get_constraintdef(oid) from pg_constraint where conrelid = 't'::regclass and contype in ('u', 'c')
         union all select pg_get_statisticsobjdef(oid) from pg_statistic_ext order by 1`,
      );
    const had = await parts();

    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await parts()).toHaveLength(had.length);
    expect(await outcomeOf(migrator.down())).toBe('done');

    expect(await parts()).toEqual(had);
    expect(await readCatalog(db.orm)).toEqual(before);
  });

  test('and is refused with the reason where a view uses it', async () => {
    const creating = createdProject({
      made: [made('int', 'id * 2'), 'create view w as select v from t'],
      entities: [entity('bigint', 'id * 2')],
    });

    await expect(creating).rejects.toThrow('drop column "v": cannot drop column v of table t because other');
  });
});
