import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineEntity, p, type Options } from '@mikro-orm/postgresql';
import { createMigration, describeEntityDifference, Migrator } from 'mikro-orm-safe-migrations';
import { describe, expect, test } from 'vitest';
import { emptyDatabase, ormOn } from './kit/database.ts';

const id = p.integer().primary();
const long = `t_${'x'.repeat(62)}`;

type Described = NonNullable<Options['entities']>[number];

const thing = (properties: Record<string, unknown>, options: Record<string, unknown> = {}): Described =>
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any columns of a test
  defineEntity({ name: 'Thing', tableName: 'thing', properties: { id, ...properties }, ...options } as never);

async function compared(entities: readonly Described[], up: readonly string[]) {
  const db = await emptyDatabase();
  const orm = ormOn(
    db,
    { Migration1_thing: { up } },
    {
      entities: [...entities],
      migrations: { path: await mkdtemp(join(tmpdir(), 'migrations-')) },
    },
  );
  const migrator = new Migrator(orm);
  await migrator.up();
  const result = await migrator.check();
  return { orm, ...result, lines: result.entityDifferences.map(describeEntityDifference) };
}

const serial = 'id serial primary key';

/** Real differences: the entity, what the migrations made, and what check says. */
const different: readonly (readonly [name: string, entity: Described, up: string[], ...lines: string[]])[] = [
  [
    'timestamp and timestamptz',
    thing({ at: p.datetime().columnType('timestamptz') }),
    [`create table thing (${serial}, at timestamp not null)`],
    'table thing: column at: type timestamp without time zone by the migrations, timestamp with time zone by the entities',
  ],
  [
    'the elements of an array',
    thing({ tags: p.array().columnType('int[]') }),
    [`create table thing (${serial}, tags text[] not null)`],
    'table thing: column tags: type text[] by the migrations, integer[] by the entities',
  ],
  [
    'the elements of an array, the other way',
    thing({ tags: p.array().columnType('text[]') }),
    [`create table thing (${serial}, tags int[] not null)`],
    'table thing: column tags: type integer[] by the migrations, text[] by the entities',
  ],
  [
    'a removed value of a native enum',
    thing({ size: p.enum(['small', 'large']).nativeEnumName('size') }),
    [
      `create type size as enum ('small', 'large', 'huge')`,
      `create table thing (${serial}, size size not null)`,
    ],
    `type size: values 'small', 'large', 'huge' by the migrations, 'small', 'large' by the entities`,
  ],
  [
    'the order of values of a native enum',
    thing({ size: p.enum(['small', 'large']).nativeEnumName('size') }),
    [`create type size as enum ('large', 'small')`, `create table thing (${serial}, size size not null)`],
    `type size: values 'large', 'small' by the migrations, 'small', 'large' by the entities`,
  ],
  [
    "an index's predicate",
    thing(
      { name: p.text() },
      {
        indexes: [
          {
            name: 'thing_name',
            expression: `create index "thing_name" on "thing" ("name") where name > 'b'`,
          },
        ],
      },
    ),
    [
      `create table thing (${serial}, name text not null)`,
      `create index thing_name on thing (name) where name > 'a'`,
    ],
    `table thing: index thing_name: definition …WHERE (name > 'a'::text) by the migrations, …WHERE (name > 'b'::text) by the entities`,
  ],
  [
    "an index's expression",
    thing(
      { name: p.text() },
      { indexes: [{ name: 'thing_name', expression: 'create index "thing_name" on "thing" (lower(name))' }] },
    ),
    [`create table thing (${serial}, name text not null)`, 'create index thing_name on thing (upper(name))'],
    'table thing: index thing_name: definition …g USING btree (upper(name)) by the migrations, …g USING btree (lower(name)) by the entities',
  ],
  [
    'a precision',
    thing({ at: p.datetime(6) }),
    [`create table thing (${serial}, at timestamptz(3) not null)`],
    'table thing: column at: type timestamp(3) with time zone by the migrations, timestamp(6) with time zone by the entities',
  ],
  [
    'time and timetz',
    thing({ at: p.string().columnType('timetz') }),
    [`create table thing (${serial}, at time not null)`],
    'table thing: column at: type time without time zone by the migrations, time with time zone by the entities',
  ],
  [
    'a default',
    thing({ at: p.datetime().defaultRaw(`now() + interval '1 day'`) }),
    [`create table thing (${serial}, at timestamptz not null default now() + interval '2 days')`],
    `table thing: column at: default (now() + '2 days'::interval) by the migrations, (now() + '1 day'::interval) by the entities`,
  ],
  [
    'a check of the same name',
    thing({ n: p.integer() }, { checks: [{ name: 'thing_n', expression: 'n between 1 and 5' }] }),
    [`create table thing (${serial}, n int not null, constraint thing_n check (n between 1 and 6))`],
    'table thing: constraint thing_n: definition CHECK (((n >= 1) AND (n <= 6))) by the migrations, CHECK (((n >= 1) AND (n <= 5))) by the entities',
  ],
  [
    'an identity for a serial',
    thing({}),
    ['create table thing (id int generated by default as identity primary key)'],
    'table thing: column id: default none by the migrations, nextval(…) by the entities',
    'table thing: column id: identity by default by the migrations, none by the entities',
  ],
  [
    'a serial without its sequence',
    thing({}),
    ['create table thing (id int primary key)'],
    'table thing: column id: default none by the migrations, nextval(…) by the entities',
  ],
  [
    'a column that is missing',
    thing({ name: p.text() }),
    [`create table thing (${serial})`],
    'table thing: column name: needed by the entities, not made by the migrations',
  ],
  [
    'a table that is missing',
    thing({ name: p.text() }),
    ['select 1'],
    'table thing: needed by the entities, not made by the migrations',
  ],
];

/** Differences that only the ORM's comparison sees. */
const equal: readonly (readonly [name: string, entity: Described, up: string[]])[] = [
  [
    'a default with an interval',
    thing({ at: p.datetime().columnType('timestamptz').defaultRaw(`now() + interval '1 day'`) }),
    [`create table thing (${serial}, at timestamptz not null default now() + interval '1 day')`],
  ],
  [
    'a check with like and between',
    thing(
      { n: p.integer(), name: p.text() },
      { checks: [{ name: 'thing_rule', expression: `name like 'a%' and n between 1 and 5` }] },
    ),
    [
      `create table thing (${serial}, n int not null, name text not null, constraint thing_rule check (name like 'a%' and n between 1 and 5))`,
    ],
  ],
  [
    'a table name of 64 characters',
    thing({ name: p.text() }, { tableName: long }),
    [`create table ${long} (${serial}, name text not null)`],
  ],
  [
    'a list of varchars, as a dump writes it',
    thing(
      { state: p.string().length(20) },
      { checks: [{ name: 'thing_state', expression: `state in ('new', 'old')` }] },
    ),
    [
      `create table thing (${serial}, state varchar(20) not null)`,
      `alter table thing add constraint thing_state check ((state)::text = any ((array['new'::character varying, 'old'::character varying])::text[]))`,
    ],
  ],
  [
    'a comparison of a float with a number',
    thing({ n: p.double() }, { checks: [{ name: 'thing_n', expression: 'n >= 0 and n < 1e3' }] }),
    [
      `create table thing (${serial}, n double precision not null, constraint thing_n check (n >= 0 and n < 1e3))`,
    ],
  ],
  [
    'a default with a cast',
    thing({ name: p.text().defaultRaw(`lower('A'::varchar) || 'b'`) }),
    [`create table thing (${serial}, name text not null default lower('A'::varchar) || 'b')`],
  ],
  [
    'a predicate that PostgreSQL prints in another way',
    thing(
      { n: p.integer() },
      {
        indexes: [
          { name: 'thing_n', expression: 'create index "thing_n" on "thing" (n) where n not in (1, 2)' },
        ],
      },
    ),
    [
      `create table thing (${serial}, n int not null)`,
      'create index thing_n on thing (n) where n not in (1, 2)',
    ],
  ],
  [
    'a renamed table with its old sequence',
    thing({}),
    [
      `create table old (${serial})`,
      'alter table old rename to thing',
      'alter index old_pkey rename to thing_pkey',
    ],
  ],
  [
    'columns in another order',
    thing({ a: p.text(), b: p.text() }),
    [`create table thing (${serial}, b text not null)`, 'alter table thing add column a text not null'],
  ],
  [
    'what entities cannot describe',
    thing({ name: p.text() }),
    [
      `create table thing (${serial}, name text not null)`,
      'create extension pg_trgm',
      'create sequence numbers',
      'create domain amount as int check (value > 0)',
      'grant select on thing to public',
      'alter table thing set (fillfactor = 70)',
      'create statistics thing_facts on id, name from thing',
      'alter table thing replica identity full',
      'create rule nothing as on delete to thing do also nothing',
    ],
  ],
];

describe('check reports', () => {
  test.each(different.map(([name, entity, up, ...lines]) => ({ name, entity, up, lines })))(
    '$name',
    async ({ entity, up, lines }) => {
      const result = await compared([entity], up);

      expect(result).toMatchObject({ agrees: false, lines, database: [] });
      expect(result.entityDifferences.every(({ remedy }) => /by hand|migrate create/.test(remedy))).toBe(
        true,
      );
    },
  );
});

describe('check agrees, and create writes nothing, for', () => {
  test.each(equal.map(([name, entity, up]) => ({ name, entity, up })))('$name', async ({ entity, up }) => {
    const { orm, ...result } = await compared([entity], up);

    expect(result).toMatchObject({ agrees: true, lines: [], entities: [] });
    expect(await createMigration(orm, 'nothing')).toBe(null);
  });
});

test('a difference without a statement of the ORM has a remedy, and create refuses', async () => {
  const { orm, ...result } = await compared(
    [thing({ at: p.datetime().columnType('timestamptz') })],
    [`create table thing (${serial}, at timestamp not null)`],
  );

  expect(result.entities).toEqual([]);
  expect(result.entityDifferences[0]?.remedy).toContain('by hand');
  await expect(createMigration(orm, 'nothing')).rejects.toThrow('write a migration by hand');
});

test('a real difference is named without the statements that change nothing', async () => {
  const { entities, lines } = await compared(
    [
      thing(
        { n: p.integer(), at: p.datetime().defaultRaw(`now() + interval '1 day'`) },
        { tableName: 'one' },
      ),
      defineEntity({ name: 'Other', tableName: 'other', properties: { id, name: p.text() } }),
    ],
    [
      `create table one (${serial}, n int not null, at timestamptz not null default now() + interval '1 day')`,
      `create table other (${serial})`,
    ],
  );

  expect(lines).toEqual(['table other: column name: needed by the entities, not made by the migrations']);
  expect(entities).toEqual(['alter table "other" add "name" text not null']);
});

test('what the ORM would drop counts', async () => {
  const { entities, lines, agrees } = await compared(
    [thing({ kept: p.text() })],
    [
      `create table thing (${serial}, kept text not null, gone int, constraint positive check (gone > 0))`,
      'create index gone_index on thing (kept)',
      'create table gone_table (id int)',
    ],
  );

  expect(agrees).toBe(false);
  expect(lines).toEqual([]);
  expect(entities.join('\n')).toMatch(/"gone_table"[^]*"gone_index"|"gone_index"[^]*"gone_table"/);
});

test('entities whose schema cannot be created are named', async () => {
  const { agrees, lines } = await compared(
    [thing({ at: p.string().columnType('unknown_type') })],
    [`create table thing (${serial}, at text not null)`],
  );

  expect(agrees).toBe(false);
  expect(lines).toEqual([expect.stringMatching(/^entities: statement type "unknown_type" does not exist/)]);
});

test('properties with ignoreSchemaChanges are not compared in what they ignore', async () => {
  const { agrees } = await compared(
    [thing({ at: p.datetime().columnType('timestamptz').ignoreSchemaChanges('type') })],
    [`create table thing (${serial}, at timestamp not null)`],
  );

  expect(agrees).toBe(true);
});
