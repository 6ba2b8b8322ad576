import {
  MikroORM,
  raw,
  ReferenceKind,
  UniqueConstraintViolationException,
  wrap,
  type EntityManager,
  type EntityMetadata,
} from '@mikro-orm/postgresql';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { Experiment, ScenarioNode } from '../../../../src/entities.ts';
import { DuplicateError, openDatabase, withSynthLab, type Database } from '../../../../src/index.ts';
import { statementName } from '../../../../src/postgres/client/named-statements.ts';
import { createOfflineOrm } from '../../../../src/postgres/orm/offline-orm.ts';
import { rowInsert } from '../../../../src/postgres/orm/driver/row-insert.ts';
import { TestDatabase, aSynth, anExperiment } from '../../../../src/testing/index.ts';
import { factories } from '../../../concurrency/histories/factories.ts';
import { WireProxy } from '../../../proxy/wire-proxy.ts';

let db: TestDatabase;
let proxy: WireProxy;
let database: Database;
beforeAll(async () => {
  db = await TestDatabase.create();
  proxy = await WireProxy.start(db.target);
});
afterAll(async () => {
  await proxy.close();
  await db.drop();
});
beforeEach(async () => {
  database = await openDatabase({ url: proxy.url(), pool: { max: 1 } });
  proxy.reset();
  return () => database.close();
});

const preparedInserts = ({ em }: { em: EntityManager }): Promise<{ statement: string }[]> =>
  em.execute(
    "select statement from pg_prepared_statements where statement like 'insert%' order by prepare_time",
  );

const inserts = (): string[] => proxy.statements.filter((statement) => statement.startsWith('insert'));

/** All rows of tables, as PostgreSQL shows them. */
async function contents(em: EntityManager, tables: readonly EntityMetadata[]): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (const { tableName } of tables)
    found.push(await em.execute(`select t::text as row from "${tableName}" t order by 1`));
  return found;
}

test('a row of each table is stored as the ORM stores it in a batch', async () => {
  await db.rollback(async ({ em }) => {
    // Rows can then be deleted and inserted in any order.
    await em.execute('set local session_replication_role = replica');
    const tables: EntityMetadata[] = [];
    for (const [, factory] of factories) {
      factory(em);
      tables.push(em.getMetadata().get(factory(em).constructor));
    }
    await em.flush();
    const before = await contents(em, tables);
    expect(before.filter(({ length }) => length < 2)).toEqual([]);

    for (const { class: entity, props, tableName } of tables) {
      const columns = props.filter(({ fieldNames, persist }) => fieldNames?.length > 0 && persist !== false);
      const rows = await em.fork({ keepTransactionContext: true }).find(entity, {});
      await em.execute(`delete from "${tableName}"`);
      for (const row of rows) {
        const values = wrap(row).toObject();
        const single = em.fork({ keepTransactionContext: true });
        const data = Object.fromEntries(columns.map(({ name }) => [name, Reflect.get(values, name)]));
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the values of a row of this entity
        single.persist(single.create(entity, data as never));
        await single.flush();
      }
    }

    expect(await contents(em, tables)).toEqual(before);
    expect((await preparedInserts({ em })).length).toBeGreaterThanOrEqual(tables.length);
  });
});

describe('a single row', () => {
  test('is prepared once, with its values as parameters', async () => {
    const names = [0, 1, 2].map((time) => `it's $1 ? \\ ${time} 😀`);
    for (const name of names) {
      await database.transact(
        async ({ experiments }) => void experiments.add({ name, hypothesis: 'h', description: null }),
      );
    }

    const stored = await db.orm.em.fork().find(Experiment, { hypothesis: 'h' }, { orderBy: { name: 'asc' } });
    expect(stored.map(({ name }) => name)).toEqual(names);
    expect(await database.transact(preparedInserts)).toEqual([
      {
        statement:
          'insert /*em.flush*/ into "experiments" ("id", "name", "hypothesis", "description", "created_at", "status") ' +
          'values ($1, $2, $3, $4, $5, $6) returning "row_version"',
      },
    ]);
  });

  test.each<[string, (em: EntityManager) => unknown]>([
    ['a raw query', (em) => anExperiment(em, { name: raw<string>("'made by ' || current_user") })],
    ['another row of its table', (em) => [anExperiment(em), anExperiment(em)]],
  ])('is inserted by the ORM with %s', async (_name, stage) => {
    await database.transact(async ({ em }) => void stage(em));

    expect(await database.transact(preparedInserts)).toEqual([]);
    expect(inserts()).toHaveLength(1);
  });

  test('gets the values that PostgreSQL fills', async () => {
    const version = await database.transact(async ({ em }) => {
      const experiment = anExperiment(em);
      await em.flush();
      return experiment.rowVersion;
    });

    expect(version).toBe(1);
  });

  test('that PostgreSQL refuses names the table and no value', async () => {
    const id = await database.transact(async ({ em }) => anExperiment(em).id);
    const refused = database.transact(async ({ em }) => void anExperiment(em, { id, name: 'secret' }));

    await expect(refused).rejects.toThrow(DuplicateError);
    await expect(refused).rejects.toMatchObject({ table: 'experiments' });
    await expect(refused).rejects.not.toThrow('secret');
  });

  test("that PostgreSQL refuses throws the ORM's exception in a service's own ORM", async () => {
    const orm = await MikroORM.init(withSynthLab({ clientUrl: db.url }));
    onTestFinished(() => orm.close(true));
    const em = orm.em.fork();
    const { id } = await em.transactional(async (inner) => anExperiment(inner));
    const refused = orm.em.fork().transactional(async (inner) => void anExperiment(inner, { id }));

    await expect(refused).rejects.toThrow(UniqueConstraintViolationException);
  });

  test('is logged by the ORM', async () => {
    const logQuery = vi.spyOn(database.orm.config.getLogger(), 'logQuery');
    await database.transact(async ({ em }) => void anExperiment(em, { name: 'logged' }));

    expect(logQuery.mock.calls.map(([{ query, params }]) => [query, params])).toContainEqual([
      expect.stringMatching(/^insert into "experiments"/),
      expect.arrayContaining(['logged']),
    ]);
  });
});

const addSynth = (linkPhoto: string): Promise<unknown> =>
  database.transact(async ({ em }) => aSynth(em, { linkPhoto }), { retries: 1 });

test('after a change of a column, the next unit of work inserts by its new type', async () => {
  const changeType = (type: string): Promise<unknown> =>
    db.orm.em.execute(`alter table synths alter link_photo type ${type} using link_photo::${type}`);
  await addSynth('1');
  await changeType('integer');

  await addSynth('2');

  expect(await db.orm.em.execute('select link_photo from synths order by 1')).toEqual([
    { link_photo: 1 },
    { link_photo: 2 },
  ]);
  await changeType('text');
  await addSynth('3');
});

test('a connection prepares the inserts of at most 20 sets of columns of a table', () => {
  const { config, em } = createOfflineOrm();
  const meta = em.getMetadata().get(ScenarioNode);
  const columns = meta.props.filter(({ name, kind }) => kind === ReferenceKind.SCALAR && name !== 'id');
  const texts = Array.from({ length: 40 }, (_, at) => {
    const chosen = columns.filter((_column, bit) => (at >> bit) % 2 === 1);
    const row = Object.fromEntries(['id', ...chosen.map(({ name }) => name)].map((name) => [name, 'value']));
    return rowInsert(meta, '"scenario_nodes"', row, config.getPlatform())?.sql ?? '';
  });

  expect(new Set(texts).size).toBe(40);
  expect(texts.map((text) => statementName(text) !== undefined)).toEqual(texts.map((_, at) => at < 20));
});
