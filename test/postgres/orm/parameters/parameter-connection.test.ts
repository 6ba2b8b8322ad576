import { MikroORM, raw, type Options } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ormOptions } from '../../../../src/postgres/orm/orm-options.ts';
import { TestDatabase } from '../../../../src/testing/index.ts';
import { WireProxy } from '../../../proxy/wire-proxy.ts';
import { createKinds, Kinds } from './kinds.ts';

let db: TestDatabase;
let proxy: WireProxy;
beforeAll(async () => {
  db = await TestDatabase.create();
  await db.orm.em.execute(createKinds);
  await db.orm.em.execute(`insert into kinds (id, text) values ('a', 'canary'), ('b', 'canary')`);
  proxy = await WireProxy.start(db.target);
});
afterAll(async () => {
  await proxy.close();
  await db.drop();
});
beforeEach(() => proxy.reset());

const asArray = async <T>(rows: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
};

/** Runs `work` with an ORM with these options. Returns the lines of its log. */
async function logOf(options: Options, work: (orm: MikroORM) => Promise<unknown>): Promise<string[]> {
  const lines: string[] = [];
  const orm = new MikroORM({
    ...ormOptions(proxy.target),
    entities: [Kinds],
    colors: false,
    logger: (line) => lines.push(line),
    ...options,
  });
  try {
    await work(orm);
  } finally {
    await orm.close(true);
  }
  return lines.filter((line) => line.includes('kinds'));
}

const find = (orm: MikroORM) => orm.em.fork().find(Kinds, { text: 'canary' }, { fields: ['id'] });
const stream = (orm: MikroORM) =>
  asArray(orm.em.fork().stream(Kinds, { where: { text: 'canary' }, fields: ['id'] }));

const markSeen = (sql: string): string => `${sql} /* seen */`;

describe.each([
  ['a find', find],
  ['a stream', stream],
])("the ORM's own log of %s", (_, read) => {
  test('has the values on request only', async () => {
    expect(await logOf({ debug: ['query'] }, read)).toEqual([expect.stringContaining(`."text" = ?`)]);
    expect(await logOf({ debug: ['query', 'query-params'] }, read)).toEqual([
      expect.stringContaining(`."text" = 'canary'`),
    ]);
  });

  test('has none of a service that did not ask for it, and the statement has no value', async () => {
    expect(await logOf({}, read)).toEqual([]);
    expect(proxy.statements.filter((text) => text.includes('kinds'))).toEqual([
      expect.stringContaining(`."text" = $1`),
    ]);
  });
});

test("the service's `onQuery` changes the statement before its values are bound", async () => {
  await logOf({ onQuery: markSeen }, find);

  expect(proxy.statements.at(-1)).toMatch(/ = \$1 \/\* seen \*\/$/);
});

test('values with names, fragments and builders of queries are bound', async () => {
  await logOf({}, async ({ em }) => {
    const named = 'select id from kinds where text = :text and id in (:one, :two) order by id';
    expect(await em.execute(named, { text: 'canary', one: 'a', two: 'b' })).toEqual([
      { id: 'a' },
      { id: 'b' },
    ]);
    expect(await em.execute(raw('select id from kinds where ?? = ?', ['id', 'a']))).toEqual([{ id: 'a' }]);
    const builder = em.fork().createQueryBuilder(Kinds, 'k').select('id').where({ id: 'b' });
    expect(await em.execute(builder.getNativeQuery())).toEqual([{ id: 'b' }]);
  });

  expect(proxy.statements.slice(-3)).toEqual([
    'select id from kinds where text = $1 and id in ($2, $3) order by id',
    'select id from kinds where "id" = $1',
    expect.stringMatching(/ where "k"\."id" = \$1$/),
  ]);
});

test('an aborted signal cancels the statement', async () => {
  const begun = performance.now();
  await logOf({}, async ({ em }) => {
    const slow = { id: 'a', [raw('pg_sleep(20)::text')]: 'x' };
    const options = { signal: AbortSignal.timeout(50), inflightQueryAbortStrategy: 'cancel query' } as const;
    await expect(em.fork().find(Kinds, slow, options)).rejects.toThrow(/abort|cancel|timeout/i);
    await expect(em.fork().find(Kinds, slow, { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
  });

  // The pool's end waits for running statements.
  expect(performance.now() - begun).toBeLessThan(10_000);
});
