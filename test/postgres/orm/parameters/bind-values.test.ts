import { raw } from '@mikro-orm/postgresql';
import * as fc from 'fast-check';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sqlStateOf } from '../../../../src/postgres/errors/translate-error.ts';
import { bindValues } from '../../../../src/postgres/orm/parameters/bind-values.ts';
import { TestDatabase } from '../../../../src/testing/index.ts';

const columns = {
  t: 'text',
  v: 'varchar(5)',
  c: 'char(3)',
  n: 'name',
  i2: 'smallint',
  i4: 'integer',
  i8: 'bigint',
  f4: 'real',
  f8: 'double precision',
  d: 'numeric(10,2)',
  b: 'boolean',
  y: 'bytea',
  j: 'jsonb',
  ts: 'timestamptz',
  dt: 'date',
  iv: 'interval',
  u: 'uuid',
  e: 'mood',
  ta: 'text[]',
  ia: 'integer[]',
  r: 'int4range',
} as const;

/** The first column of a result, or the code of the error. */
type Outcome = readonly unknown[] | string;

let db: TestDatabase;
let client: Client;
beforeAll(async () => {
  db = await TestDatabase.create();
  client = new Client({ connectionString: db.url });
  await client.connect();
  await client.query(`create type mood as enum ('sad', 'ok')`);
  const defined = Object.entries(columns).map(([name, type]) => `${name} ${type}`);
  await client.query(`create table kinds (id integer primary key, ${defined.join(', ')})`);
  await client.query(`
    insert into kinds values
      (1, 'a', 'a', 'a', 'a', 1, 1, 1, 1, 1, 1, true, '\\x61', '"a"', '2026-01-01', '2026-01-01', '1 day', gen_random_uuid(), 'sad', '{a,b}', '{1,2}', '[1,3)'),
      (2, 'it''s', 'b\\?', 'b', 'b', -5, -5, -5, 0.1, 0.1, 0.1, false, '\\x00ff', '{"a": 1}', 'infinity', '2026-02-01', '2 hours', gen_random_uuid(), 'ok', '{}', '{}', 'empty'),
      (3, '5', '5', '5', '5', 0, 2147483647, 9007199254740993, 1.5, 1.5, 1.5, null, '', '5', now(), 'infinity', '0', gen_random_uuid(), null, '{5}', '{5}', '[5,5]'),
      (4, '', '', '', '', null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null)`);
});
afterAll(async () => {
  await client.end();
  await db.drop();
});

async function outcome(sql: string, values?: unknown[]): Promise<Outcome> {
  await client.query('begin');
  try {
    const { rows } = await client.query<unknown[]>({
      text: sql,
      rowMode: 'array',
      ...(values && { values }),
    });
    return rows.map((row) => JSON.stringify(row));
  } catch (error) {
    return sqlStateOf(error);
  } finally {
    await client.query('rollback');
  }
}

/** Returns the outcomes of a statement with its values in the text, as the ORM writes it, and as it is bound. */
async function bothOutcomes(sql: string, values: readonly unknown[]): Promise<[Outcome, Outcome]> {
  const platform = db.orm.em.getPlatform();
  const bound = bindValues(sql, values, platform);
  return [await outcome(platform.formatQuery(sql, values)), await outcome(bound.sql, [...bound.values])];
}

const number = fc.oneof(
  fc.integer({ min: -6, max: 6 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0.1, 1.5, -0, 2 ** 31, -(2 ** 31), 2 ** 53, 9.3e18, -(2 ** 63), 1e21, 1e-7, 1e308, 5e-324),
);
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'sad',
    '5',
    '1.5',
    'true',
    '{a,b}',
    '{1,2}',
    '[1,3)',
    '"a"',
    '{"a": 1}',
    '2026-01-01',
  ),
  fc.constantFrom(
    "it's",
    String.raw`b\?`,
    '$1',
    '?',
    '??',
    '--',
    '/*',
    "';",
    'infinity',
    '1 day',
    'ação 😀',
    '%',
    '_',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }).filter((one) => !one.includes('\0')),
);
const scalar = fc.oneof(
  number,
  text,
  fc.boolean(),
  fc.constant(null),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }),
  fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') }),
  fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
);
const value = fc.oneof(
  { weight: 9, arbitrary: scalar },
  fc
    .jsonValue({ maxDepth: 1 })
    .filter((one) => typeof one === 'object' && !Array.isArray(one) && one !== null),
);
const column = fc.constantFrom(...Object.keys(columns));

/** Values of one kind, as in a list of the ORM. */
const list = fc.oneof(
  fc.array(text, { minLength: 1, maxLength: 4 }),
  fc.array(number, { minLength: 1, maxLength: 4 }),
  fc.array(scalar, { minLength: 1, maxLength: 4 }),
);

describe('a statement has the same result with parameters as with values in its text', () => {
  test('comparisons of a column with a value of any kind', async () => {
    const operator = fc.constantFrom(
      '=',
      '!=',
      '<',
      '>=',
      '@>',
      '<@',
      '&&',
      '~',
      'like',
      'ilike',
      String.raw`\?`,
      '@@',
    );
    await fc.assert(
      fc.asyncProperty(column, operator, value, async (name, operation, one) => {
        const sql = `select id from kinds where ${name} ${operation} ? order by id`;
        const [literal, bound] = await bothOutcomes(sql, [one]);
        expect(bound).toEqual(literal);
      }),
      { numRuns: 1_000 },
    );
  });

  test('lists', async () => {
    await fc.assert(
      fc.asyncProperty(column, list, fc.boolean(), async (name, values, isOne) => {
        const sql = `select id from kinds where ${name} in (${isOne ? '?' : values.map(() => '?').join(', ')}) order by id`;
        const [literal, bound] = await bothOutcomes(sql, isOne ? [values] : values);
        // Of several errors, each form has another first.
        const sameKind = typeof literal === 'string' && typeof bound === 'string';
        expect(sameKind ? literal : bound).toEqual(literal);
      }),
      { numRuns: 400 },
    );
  });

  test('written values', async () => {
    const statement = fc.constantFrom(
      (name: string) => `update kinds set ${name} = ? where id = ? returning ${name}`,
      (name: string) =>
        `update kinds set ${name} = case when (id = 2) then ? else ${name} end where id = ? returning ${name}`,
      (name: string) => `insert into kinds (${name}, id) values (?, ? + 10) returning ${name}`,
      (name: string) =>
        `insert into kinds (${name}, id) values (?, ?) on conflict (id) do update set ${name} = excluded.${name} returning ${name}`,
    );
    await fc.assert(
      fc.asyncProperty(column, statement, value, async (name, sqlOf, one) => {
        const [literal, bound] = await bothOutcomes(sqlOf(name), [one, 2]);
        expect(bound).toEqual(literal);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each<[string, unknown[]]>([
    [`select id from kinds where ts > now() - interval ? and t = ?`, ['1 day', 'a']],
    ['select jsonb_build_object(?, ?) from kinds where t = ?', ['a', 5, 'a']],
    [
      'select date_trunc(?, ts) from kinds where t != ? group by date_trunc(?, ts) having count(*) >= ?',
      ['day', 'x', 'day', 1],
    ],
    ['select t = ?, count(*) from kinds group by t = ? order by t = ?', ['a', 'a', 'a']],
    ['select id from kinds where (? is null or t = ?) limit ? offset ?', ['a', 'a', 1, 0]],
    ['select id from kinds where j->>? = ? or j->? = ?', ['a', '1', 'a', '1']],
    ['select id from kinds where t = lower(?) and i4 between ? and ?', ['A', 0, 2]],
    ['select id from kinds where t = any(?) and f8 = ?::float8', ['{a,5}', '1']],
    ['select id from kinds where i4 = ? + 1 and t = ? || ?', [0, 'a', '']],
    ['select ?? from ?? where ?? = ?', ['id', 'kinds', 't', 'a']],
    [
      'update kinds set t = ?, i4 = ? where ?? = ? returning t, i4',
      [raw('upper(?)', ['x']), raw('??  + ?', ['i4', 7]), 't', raw('?::text', ['a'])],
    ],
    [
      'insert into kinds (id, t, i4) values (?, ?, ?) returning t, i4',
      [9, raw('default'), raw('(select max(i4) from kinds where t = ?)', ['a'])],
    ],
    [`select id from kinds where t = 'what?' or t = ?`, ['a', 'b']],
    ['select id into temp copied from kinds where t = ?', ['a']],
    ['select id from (values (?, ?), (?, ?)) given (id, t) where t = ?', [1, 'a', 2, 'b', 'b']],
    [String.raw`select id from kinds where t ~ '^\w+$' and t = ?`, ['a']],
    ['select id from kinds where t = ?', [undefined]],
    ['select id from kinds where f8 = ?', [Number.NaN]],
    ['select id from kinds where t = ?', []],
    ['select id from kinds where t = ?', [[]]],
    [
      'select id from kinds where id in ((select id from kinds where t = ?) union all (select id from kinds where i4 = ?)) order by id',
      ['a', -5],
    ],
    [
      'with x as (select id from kinds where t = ?) delete from kinds using x where kinds.id = x.id and kinds.i8 = ? returning kinds.id',
      ['a', 1n],
    ],
  ])('%s', async (sql, values) => {
    const [literal, bound] = await bothOutcomes(sql, values);
    expect(bound).toEqual(literal);
  });
});

test('numbers keep the type of their literals, other values have the type of the column', () => {
  const { sql, values } = bindValues(
    'insert into t values (?, ?, ?, ?, ?, ?, ?, ?)',
    [1, 2 ** 31, 0.5, true, null, 5n, "it's", new Date(0)],
    db.orm.em.getPlatform(),
  );

  expect(sql).toBe('insert into t values ($1::int4, $2::int8, $3::numeric, $4::bool, $5, $6, $7, $8)');
  expect(values).toEqual(['1', '2147483648', '0.5', 'true', null, '5', "it's", '1970-01-01T00:00:00.000Z']);
});

test('more values than the protocol has parameters stay in the text', async () => {
  const keys = Array.from({ length: 70_000 }, (_, index) => index + 2);
  const found = await db.orm.em
    .fork()
    .execute<unknown[]>(
      `select id from kinds where id in (${keys.map(() => '?').join(', ')}) order by id`,
      keys,
    );

  expect(found).toEqual([{ id: 2 }, { id: 3 }, { id: 4 }]);
});
