import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ContentionError,
  openDatabase,
  type Database,
  type OpenDatabaseOptions,
  type ReadingUnitOfWork,
  type UnitOfWork,
} from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { PgBouncer, whyNoKeepingPooler, whyNoPooler } from '../../../packages/migrator/test/kit/pgbouncer.ts';
import { concurrently } from '../../concurrency/concurrently.ts';

let db: TestDatabase;
let id: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  id = await db.transact(async ({ em }) => anExperiment(em, { name: 'named' }).id);
});
afterAll(() => db.drop());

/** Opens the database, by default with one connection. */
const open = (options: OpenDatabaseOptions = {}): Promise<Database> =>
  openDatabase({ url: db.url, pool: { max: 1 }, ...options });

/** The names of the prepared statements on the connection of a unit of work. */
async function preparedIn({ em }: Pick<UnitOfWork, 'em'>): Promise<string[]> {
  const rows = await em.execute<{ name: string }[]>('select name from pg_prepared_statements order by 1');
  return rows.map(({ name }) => name);
}

/** Reads that are named: managed rows and read models by their keys, and the first page of a list without filters. */
const reads: Readonly<Record<string, (uow: ReadingUnitOfWork) => Promise<unknown>>> = {
  get: ({ experiments }) => experiments.get(id),
  getSummary: ({ experiments }) => experiments.getSummary(id),
  pageSummaries: ({ experiments }) => experiments.pageSummaries(),
};

const nameOfExperiment = async ({ experiments }: ReadingUnitOfWork): Promise<string> =>
  (await experiments.getSummary(id)).name;

/** Changes the type of a column that all of the reads return. */
const changeType = (type: string): Promise<unknown> =>
  db.orm.em.execute(`alter table experiments alter hypothesis type ${type}`);

const rename =
  (name: string) =>
  async (uow: UnitOfWork): Promise<void> => {
    (await uow.experiments.get(id)).name = name;
    await uow.experiments.getSummary(id);
  };

describe('on connections of a pool', () => {
  let database: Database;
  beforeEach(async () => void (database = await open()));
  afterEach(async () => {
    await database.close();
    await changeType('text');
  });

  test.each(Object.entries(reads))('%s is prepared once', async (_name, read) => {
    for (let time = 0; time < 3; time++) await database.read(read);

    expect(await database.transact(preparedIn)).toEqual([
      expect.stringMatching(/^synth_lab_[0-9a-f]{16}_0_0$/),
    ]);
  });

  test('the first page with a usual limit is planned once for all calls', async () => {
    for (let time = 0; time < 9; time++)
      await database.read((uow) => uow.experiments.pageSummaries({ limit: 50 }));

    const plans =
      'select custom_plans::int as custom, generic_plans::int as generic from pg_prepared_statements';
    expect(await database.transact(({ em }) => em.execute(plans))).toEqual([{ custom: 0, generic: 9 }]);
  });

  test('a list by a value is not prepared, nor a deep page', async () => {
    await database.read(async (uow) => {
      await uow.synths.pageSummaries({ group: 'sg_none' });
      await uow.experiments.pageSummaries({ offset: 5_000 });
      await uow.experiments.scrollSummaries();
      await uow.synthOutcomes.listSummaries('ana_none');
    });

    expect(await database.transact(preparedIn)).toEqual([]);
  });

  test.each(Object.entries(reads))('%s is sent again after its tables changed', async (_name, read) => {
    await database.read(read);
    await changeType('varchar');

    await database.read(read);
    await changeType('text');
    await database.read(read);

    expect(await database.transact(preparedIn)).toHaveLength(3);
  });

  test('a transaction that meets changed tables fails once', async () => {
    await database.read(({ experiments }) => experiments.getSummary(id));
    await changeType('varchar');
    const refused = database.transact(rename('lost'));

    await expect(refused).rejects.toBeInstanceOf(ContentionError);
    await expect(refused).rejects.toThrow(
      'the schema changed since this connection prepared the statement (0A000)',
    );
    expect(await database.read(nameOfExperiment)).toBe('named');
    await database.transact(rename('renamed'));
    expect(await database.read(nameOfExperiment)).toBe('renamed');
    await database.transact(rename('named'));
  });

  test('a transaction that meets changed tables is retried', async () => {
    await database.read(nameOfExperiment);
    await changeType('varchar');
    let attempts = 0;

    const found = await database.transact(
      (uow) => {
        attempts++;
        return nameOfExperiment(uow);
      },
      { retries: 1 },
    );

    expect([found, attempts]).toEqual(['named', 2]);
  });

  test.each(['deallocate all', 'discard all', 'deallocate prepare all'])('survives %s', async (statement) => {
    await database.read(({ experiments }) => experiments.get(id));
    await database.orm.em.fork().execute(statement);

    expect(await database.transact(async ({ experiments }) => (await experiments.get(id)).id)).toBe(id);
  });

  test('survives a function that drops prepared statements', async () => {
    await database.read(({ experiments }) => experiments.get(id));
    await database.orm.em.fork().execute(`do $$ begin execute 'deallocate all'; end $$`);

    expect(await database.read(async ({ experiments }) => (await experiments.get(id)).id)).toBe(id);
  });
});

test.each<[string, OpenDatabaseOptions]>([
  ['namedStatements: false', { namedStatements: false }],
  ['poolMode: external', { poolMode: 'external' }],
])('nothing is named with %s', async (_name, options) => {
  await using database = await open(options);
  const names = await database.transact(async (uow) => {
    for (const read of Object.values(reads)) await read(uow);
    return preparedIn(uow);
  });

  expect(names).toEqual([]);
});

const behind = (pooler: PgBouncer): Promise<Database> =>
  open({ url: pooler.url(), poolMode: 'transaction', pool: { max: 8 } });

/** Reads by key in many units of work at once, which get server connections in turn, and returns the names seen. */
async function readAtOnce(database: Database): Promise<Set<string>> {
  const seen = await concurrently(200, () =>
    database.transact(async (uow) => {
      for (const read of Object.values(reads)) await read(uow);
      return preparedIn(uow);
    }),
  );
  return new Set(seen.flat());
}

describe('behind a pooler in transaction mode', () => {
  test('that keeps prepared statements, they are named', async ({ skip }) => {
    if (whyNoKeepingPooler !== null) skip(whyNoKeepingPooler);
    await using pooler = await PgBouncer.start(db.target, {
      poolMode: 'transaction',
      serverConnections: 3,
      assigns: 'in turn',
      preparedStatements: 50,
    });
    await using database = await behind(pooler);

    expect([...(await readAtOnce(database))].length).toBeGreaterThan(0);
  });

  test.each<[string, number | undefined]>([
    ['an older one', undefined],
    ['max_prepared_statements = 0', 0],
  ])(
    'that keeps none (%s), nothing is named, and the check leaves nothing',
    async (_name, preparedStatements) => {
      const missing = preparedStatements === undefined ? whyNoPooler : whyNoKeepingPooler;
      if (missing !== null) throw new Error(missing);
      await using pooler = await PgBouncer.start(db.target, {
        poolMode: 'transaction',
        serverConnections: 3,
        assigns: 'in turn',
        ...(preparedStatements !== undefined && { preparedStatements }),
      });
      for (let opening = 0; opening < 3; opening++) {
        await using database = await behind(pooler);

        expect([...(await readAtOnce(database))]).toEqual([]);
      }
    },
  );
});
