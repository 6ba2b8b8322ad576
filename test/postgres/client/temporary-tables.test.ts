import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  DanglingReferenceError,
  openDatabase,
  type Database,
  type EntityManager,
  type UnitOfWork,
} from '../../../src/index.ts';
import { TestDatabase, aSynthOutcome, anAnalysisRun, anExperiment } from '../../../src/testing/index.ts';
import { WireProxy } from '../../proxy/wire-proxy.ts';
import { outcome } from '../../repositories/some-outcomes.ts';

describe('temporary tables of a unit of work', () => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  beforeAll(async () => void (db = await TestDatabase.create()));
  beforeEach(async () => {
    proxy = await WireProxy.start(db.target);
    database = await openDatabase({ url: proxy.url(), pool: { max: 1, acquireTimeout: 2_000 } });
    proxy.reset();
  });
  afterEach(async () => {
    await database.close();
    await proxy.close();
  });
  afterAll(() => db.drop());

  const temporaries = (em: EntityManager = database.orm.em.fork()): Promise<unknown[]> =>
    em.execute('select relname from pg_class where relnamespace = pg_my_temp_schema()');

  test('are used by entities, COPY and read models in it, and by none after it', async () => {
    const run = await database.transact(async (uow) => {
      const { id } = anAnalysisRun(uow.em);
      await uow.flush();
      await inTheWay(uow);
      await uow.synthOutcomes.saveAll(id, [outcome('copied'), outcome('as well')]);
      aSynthOutcome(uow.em, { analysis: id, synthId: 'flushed' });
      await uow.flush();

      expect(proxy.statements).toContainEqual(expect.stringMatching(/^copy "synth_outcomes"/));
      expect(await uow.synthOutcomes.count(id)).toBe(3);
      expect((await uow.synthOutcomes.listSummaries(id)).map(({ synthId }) => synthId)).toContain('copied');
      expect((await uow.synthOutcomes.pageSummaries(id)).pagination.total).toBe(3);
      return id;
    });

    expect(await database.read(({ synthOutcomes }) => synthOutcomes.count(run))).toBe(0);
    expect(await temporaries()).toEqual([]);
  });

  test.each([
    'create temp table t as select 1 as a',
    'CREATE TEMPORARY VIEW t AS SELECT 1 AS a',
    'create table pg_temp.t (a int)',
    'select 1 as a into temp t',
    '/* many words */ select 1; create temp sequence t',
    'do $$ begin create temp table t (a int); end $$',
    'create temp table t (a int) on commit drop',
  ])('are dropped at its end: %s', async (sql) => {
    await database.transact(async ({ em }) => void (await em.execute(sql)));

    expect(await temporaries()).toEqual([]);
  });

  test('are dropped by a rollback to a savepoint, and after failed work', async () => {
    const failing = database.transact(async (uow) => {
      await expect(
        uow.transact(async (inner) => {
          await inTheWay(inner);
          throw new Error('taken back');
        }),
      ).rejects.toThrow('taken back');
      expect(await temporaries(uow.em)).toEqual([]);
      await inTheWay(uow);
      throw new Error('all taken back');
    });

    await expect(failing).rejects.toThrow('all taken back');
    expect(await temporaries()).toEqual([]);
  });

  test('are dropped without other changes of the transaction', async () => {
    const { id } = await database.transact(async (uow) => {
      await inTheWay(uow);
      return anExperiment(uow.em);
    });

    expect(await database.read(({ experiments }) => experiments.find(id))).not.toBeNull();
  });

  test('have their deferred constraints checked at the commit', async () => {
    const breaking = (rows: string) =>
      database.transact(async ({ em }) => {
        const experiment = anExperiment(em);
        await em.flush();
        await em.execute(
          `create temp table parent (a int primary key);
           create temp table child (a int references parent deferrable initially deferred);
           insert into child values (1); ${rows}`,
        );
        return experiment.id;
      });

    await expect(breaking('')).rejects.toBeInstanceOf(DanglingReferenceError);
    const id = await breaking('insert into parent values (1)');

    expect(await database.read(({ experiments }) => experiments.find(id))).not.toBeNull();
  });

  test('add no statement to a transaction without them', async () => {
    await database.transact(async ({ em }) => em.execute('select 1'));

    expect(proxy.statements).toEqual(['begin', 'select 1', 'commit']);
  });
});

/** Creates a temporary table that hides the table of that name. */
function inTheWay({ em }: UnitOfWork): Promise<unknown> {
  return em.execute('create temp table synth_outcomes (like synth_outcomes including all)');
}
