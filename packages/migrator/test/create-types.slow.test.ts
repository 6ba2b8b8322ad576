import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { createdProject, outcomeOf, tableOf, valuesOf } from './created-project.ts';

const made = (type: string) => [
  `create type temper as enum ('ok', 'good')`,
  ...(type === 'mood' ? [`create type mood as enum ('sad', 'ok', 'it''s')`] : []),
  `create table t (id serial primary key, v ${type} null)`,
];
const row = (value: string) => `insert into t (v) values (${value}), (null)`;
const entity = (type: string) => [
  tableOf('t', {
    v:
      type === 'temper'
        ? p.enum(['ok', 'good']).nativeEnumName('temper').nullable()
        : p.string().columnType(type).nullable(),
  }),
];

/** Each with a value that the other type holds, and one that it would cut, round or refuse. */
const narrowing: readonly (readonly [from: string, to: string, fits: string, changes: string])[] = [
  ['varchar(255)', 'varchar(5)', `'short'`, `'too long'`],
  ['varchar(255)', 'varchar(3)', `'abc'`, `'ab   '`],
  ['text', 'varchar(5)', `'it''s'`, `'abcdef'`],
  ['text', 'char(4)', `'abcd'`, `'abcde'`],
  ['char(10)', 'char(4)', `'abc'`, `'abcde'`],
  ['numeric(10,2)', 'numeric(10,0)', '12', '12.34'],
  ['numeric(10,2)', 'numeric(4,2)', '12.34', '123.45'],
  ['numeric', 'int', '7', '7.5'],
  ['bigint', 'int', '2147483647', '2147483648'],
  ['int', 'smallint', '32767', '32768'],
  ['bigint', 'double precision', '9007199254740992', '9007199254740993'],
  ['double precision', 'real', '0.5', '0.1'],
  ['double precision', 'int', '3', '3.4'],
  ['timestamptz(6)', 'timestamptz(0)', `'2026-01-01 00:00:00+00'`, `'2026-01-01 00:00:00.4+00'`],
  ['timestamp(6)', 'date', `'2026-01-01'`, `'2026-01-01 00:00:01'`],
  ['time(6)', 'time(0)', `'12:00:00'`, `'12:00:00.25'`],
  ['interval(6)', 'interval(0)', `'1 day'`, `'1.25 seconds'`],
  ['text', 'int', `'12'`, `'012'`],
  ['text', 'jsonb', `'{"a": 1}'`, `'{"a":1}'`],
  ['text', 'uuid', `'00000000-0000-0000-0000-00000000000a'`, `'00000000-0000-0000-0000-00000000000A'`],
  ['text', 'boolean', `'true'`, `'t'`],
  ['jsonb', 'int', `'7'`, `'7.5'`],
  ['inet', 'cidr', `'10.0.0.0/8'`, `'10.0.0.1/8'`],
  ['text[]', 'int[]', `'{1,2}'`, `'{01}'`],
  ['varchar(20)[]', 'varchar(2)[]', `'{ab}'`, `'{abc}'`],
  ['varbit(8)', 'varbit(4)', `'1010'`, `'10101'`],
  ['mood', 'temper', `'ok'`, `'it''s'`],
  ['text', 'temper', `'ok'`, `'other'`],
];

describe('a narrower type refuses rows whose value would change', () => {
  test.each(narrowing)('%s to %s', async (from, to, fits, changes) => {
    const { db, migrator, created, source } = await createdProject({
      made: made(from),
      rows: [row(fits)],
      entities: entity(to),
    });
    const before = await valuesOf(db, 'select * from t order by id');
    expect(created?.warnings).toContainEqual({
      direction: 'up',
      message: expect.stringMatching(
        /^turns t\.v from .* into .*fails on rows whose value would change: .*--lossy t\.v$/,
      ),
    });
    expect(source).toContain(' * Going up refuses rows whose t.v would change as ');

    // A value that fits but is written in another way, as a padded char, stays equal.
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await outcomeOf(migrator.down())).toBe('done');
    expect(await valuesOf(db, 'select * from t order by id')).toEqual(before);
    await db.orm.em.execute(row(changes));
    const risky = await valuesOf(db, 'select * from t order by id');

    expect(await outcomeOf(migrator.up())).toBe('refused');
    expect(await valuesOf(db, 'select * from t order by id')).toEqual(risky);
  });
});

const widening: readonly (readonly [from: string, to: string, value: string])[] = [
  ['varchar(5)', 'varchar(255)', `'it''s'`],
  ['varchar(5)', 'text', `'a'`],
  ['int', 'bigint', '2147483647'],
  ['smallint', 'int', '-32768'],
  ['real', 'double precision', '0.1'],
  ['numeric(4,2)', 'numeric(10,2)', '12.34'],
  ['timestamptz(0)', 'timestamptz(6)', `'2026-01-01 00:00:00+00'`],
];

describe('a wider type says nothing about going up, and refuses on the way back only', () => {
  test.each(widening)('%s to %s', async (from, to, value) => {
    const { db, migrator, created, source } = await createdProject({
      made: made(from),
      rows: [row(value)],
      entities: entity(to),
    });
    const before = await valuesOf(db, 'select * from t order by id');

    expect(created?.warnings.filter(({ direction }) => direction === 'up')).toEqual([]);
    expect(source).not.toContain('Going up');
    expect(source).toContain(' * Going back refuses rows whose t.v would change as ');
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await outcomeOf(migrator.down())).toBe('done');
    expect(await valuesOf(db, 'select * from t order by id')).toEqual(before);
    expect(await outcomeOf(migrator.up())).toBe('done');
  });
});

describe('a column of `lossy` gets the values of the other type', () => {
  test.each([
    ['varchar(255)', 'varchar(5)', `'too long'`, '"too l"'],
    ['numeric(10,2)', 'numeric(10,0)', '12.50', '13'],
    ['text', 'boolean', `'t'`, 'true'],
    ['double precision', 'real', '0.1', '0.1'],
    ['timestamp(6)', 'date', `'2026-01-01 23:00'`, '"2026-01-01"'],
    ['text', 'jsonb', `'{"a":1}'`, '{"a": 1}'],
  ])('%s to %s', async (from, to, value, expected) => {
    const { db, migrator, source } = await createdProject({
      made: made(from),
      rows: [row(value)],
      entities: entity(to),
      options: { lossy: ['t.v'] },
    });

    expect(source).toContain(" * Going up changes what t.v holds, where it doesn't fit the type.");
    expect(source).toContain('does not restore what going up lost.');
    expect(await outcomeOf(migrator.up())).toBe('done');

    expect(await valuesOf(db, 'select v from t where id = 1')).toEqual([`{"v": ${expected}}`]);
  });
});

test.each([
  ['timestamptz', 'date', 'time zone of the session'],
  ['timestamptz', 'timestamp', 'time zone of the session'],
  ['timestamp', 'timestamptz', 'time zone of the session'],
  ['date', 'timestamptz', 'time zone of the session'],
  ['timestamptz', 'time', 'time zone of the session'],
  ['timestamptz', 'text', 'time zone of the session'],
  ['timestamptz', 'varchar(40)', 'time zone of the session'],
  ['text', 'timestamptz', 'time zone of the session'],
  ['timestamptz[]', 'timestamp[]', 'time zone of the session'],
  ['timestamp[]', 'timestamptz[]', 'time zone of the session'],
  ['timestamptz[]', 'date[]', 'time zone of the session'],
  ['tstzrange', 'text', 'time zone of the session'],
  ['money', 'numeric', 'lc_monetary'],
  ['numeric(10,2)', 'money', 'lc_monetary'],
  ['int', 'money', 'lc_monetary'],
  ['money', 'text', 'lc_monetary'],
  ['text', 'money', 'lc_monetary'],
  ['money[]', 'numeric[]', 'lc_monetary'],
  ['text', 'xml', 'settings of the session'],
  ['text', 'regclass', 'settings of the session'],
  ['int', 'uuid', 'no cast'],
  ['boolean', 'date', 'no cast'],
  ['text[]', 'int', 'no cast'],
])('%s to %s is refused with the reason', async (from, to, reason) => {
  await expect(createdProject({ made: made(from), entities: entity(to) })).rejects.toThrow(
    new RegExp(`^t\\.v changes from .* to .*${reason}.*by hand`),
  );
});

test.each(['t.w', 'v', 'u.v', 't', 'T.v'])('--lossy %s, which changes no type, is refused', async (name) => {
  await expect(
    createdProject({ made: made('text'), entities: entity('varchar(5)'), options: { lossy: [name] } }),
  ).rejects.toThrow(`--lossy ${name}: `);
});

test.each([
  ['an integer', 'create table t (id int primary key, v text null)'],
  ['a bigint', 'create table t (id bigint primary key, v text null)'],
])('%s becomes a serial, and back', async (_, sql) => {
  const { db, migrator, source } = await createdProject({
    made: [sql],
    rows: [`insert into t values (7, 'a')`],
    entities: [tableOf('t', { v: p.text().nullable() })],
  });
  const before = await valuesOf(db, 'select * from t');

  expect(source).not.toMatch(/type "?serial/);
  expect(await outcomeOf(migrator.up())).toBe('done');
  expect(await valuesOf(db, 'select * from t')).toEqual(before);
  expect(await migrator.check()).toMatchObject({ agrees: true });
  expect(await outcomeOf(migrator.down())).toBe('done');
  expect(await valuesOf(db, 'select * from t')).toEqual(before);
});

test('a default is cast with its column', async () => {
  const { db, migrator } = await createdProject({
    made: [`create table t (id serial primary key, v text null default '7')`],
    rows: [`insert into t (v) values ('3')`],
    entities: [tableOf('t', { v: p.integer().nullable().default(7) })],
  });

  expect(await outcomeOf(migrator.up())).toBe('done');
  await db.orm.em.execute('insert into t default values');

  expect(await valuesOf(db, 'select v from t order by id')).toEqual(['{"v": 3}', '{"v": 7}']);
  expect(await outcomeOf(migrator.down())).toBe('done');
  expect(await valuesOf(db, 'select v from t order by id')).toEqual(['{"v": "3"}', '{"v": "7"}']);
});

describe('a type that other objects keep is refused with the reason', () => {
  test.each([
    ['a view', 'create view w as select v from t', 'used by a view or rule'],
    ['a check', `alter table t add constraint full_v check (v <> '')`, 'operator does not exist'],
    ['an index', `create index by_length on t (length(v))`, 'length(integer) does not exist'],
    ['a policy', `create policy p on t using (v <> '')`, 'used in a policy definition'],
    [
      'a trigger',
      `create function f() returns trigger language plpgsql as 'begin return new; end';
       create trigger r before update on t for each row when (new.v <> '') execute function f()`,
      'used in a trigger definition',
    ],
  ])('%s', async (_, sql, reason) => {
    const creating = createdProject({ made: [...made('text'), sql], entities: entity('int') });

    await expect(creating).rejects.toThrow('the statements for it fail even without rows: ');
    await expect(creating).rejects.toThrow(reason);
  });
});

describe('nothing is written where only some statements fail, but the statement and the reason are named', () => {
  const view = 'create view w as select v from t';
  test.each([
    ['a view', view, 'alter table "t" alter column "v" type integer', 'used by a view or rule'],
    ['an index', `create index by_length on t (length(v))`, 'type integer', 'length(integer) does not exist'],
    ['a policy', `create policy p on t using (v <> '')`, 'type integer', 'used in a policy definition'],
    [
      'an event trigger',
      `create function f() returns event_trigger language plpgsql as 'begin raise ''not now''; end';
       create event trigger e on ddl_command_end when tag in ('CREATE INDEX') execute function f()`,
      'create index "t_n_index"',
      'not now',
    ],
  ])('%s', async (_, sql, statement, reason) => {
    const type = reason === 'not now' ? p.text().nullable() : p.integer().nullable();
    const creating = createdProject({
      made: [...made('text'), sql],
      entities: [tableOf('t', { v: type, n: p.integer().nullable().index('t_n_index') })],
    });

    await expect(creating).rejects.toThrow(
      'a statement of `up` fails even without rows; nothing was written',
    );
    await expect(creating).rejects.toThrow(statement);
    await expect(creating).rejects.toThrow(reason);
  });

  test('also on the way back', async () => {
    const creating = createdProject({
      made: [
        ...made('text'),
        `create function f() returns event_trigger language plpgsql as $$ begin
           if exists (select from pg_event_trigger_dropped_objects() where object_identity = 'public.t.n') then raise 'not now'; end if;
         end $$`,
        'create event trigger e on sql_drop execute function f()',
      ],
      entities: [tableOf('t', { v: p.text().nullable(), n: p.integer().nullable() })],
    });

    await expect(creating).rejects.toThrow('a statement of `down` fails even without rows');
    await expect(creating).rejects.toThrow('alter table "t" drop column "n": not now');
  });
});
