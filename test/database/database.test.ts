import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment } from '../../src/entities.ts';
import {
  ConnectionError,
  DanglingReferenceError,
  DuplicateError,
  InvalidValueError,
  NotFoundError,
  SchemaDriftError,
  SchemaOutOfDateError,
  SettingsError,
  openDatabase,
} from '../../src/index.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';

const urlOf = ({ target: { parts } }: TestDatabase): string =>
  `postgresql://${parts.user}:${encodeURIComponent(parts.password)}@${parts.host}:${parts.port}/${parts.database}`;

const experiment = { name: 'Short checkout', hypothesis: 'Fewer steps sell more' };

describe('openDatabase', () => {
  test('opens a migrated database', async () => {
    await using db = await TestDatabase.create();
    await using database = await openDatabase({ url: urlOf(db) });

    const id = await database.transact(async ({ experiments }) => experiments.add(experiment).id);

    expect(await database.read(async ({ experiments }) => (await experiments.get(id)).name)).toBe(
      'Short checkout',
    );
  });

  test('refuses one that was never migrated, with the pending migrations', async () => {
    const db = await TestServer.shared().createEmptyDatabase();

    const opening = openDatabase({ url: urlOf(db) });

    await expect(opening).rejects.toBeInstanceOf(SchemaOutOfDateError);
    await expect(opening).rejects.toMatchObject({
      pending: migrationChain,
    });
    expect(
      await db.orm.em.execute(`select 1 from pg_class where relnamespace = 'public'::regnamespace`),
    ).toEqual([]);
    await db.drop();
  });

  test('opens one that is behind with schemaBehind: ignore', async () => {
    const db = await TestServer.shared().createEmptyDatabase();

    await using database = await openDatabase({ url: urlOf(db), schemaBehind: 'ignore' });

    expect(await database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
    await db.drop();
  });

  test('warns of one that is ahead, except with schemaAhead: ignore', async () => {
    await using db = await TestDatabase.create();
    await db.orm.em.execute(
      `insert into mikro_orm_migrations (name) values ('Migration29991231235959_later')`,
    );
    const warnings: Error[] = [];
    process.on('warning', (warning) => warnings.push(warning));

    await (await openDatabase({ url: urlOf(db), schemaAhead: 'ignore' })).close();
    await (await openDatabase({ url: urlOf(db) })).close();

    await expect
      .poll(() => warnings.map(({ message }) => message))
      .toEqual([expect.stringContaining('Migration29991231235959_later')]);
  });

  test('refuses a schema that was changed since the last migrations, or warns of it, as schemaDrift says', async () => {
    await using db = await TestDatabase.create();
    for (const schemaDrift of ['refuse', 'warn'] as const)
      await (await openDatabase({ url: urlOf(db), schemaDrift })).close();
    await db.orm.em.execute('alter table experiments add column stray text');
    const line = 'table experiments: column stray: added';
    const warnings: Error[] = [];
    process.on('warning', (warning) => warnings.push(warning));

    const opening = openDatabase({ url: urlOf(db), schemaDrift: 'refuse' });

    await expect(opening).rejects.toBeInstanceOf(SchemaDriftError);
    await expect(opening).rejects.toMatchObject({ code: 'schema_drift', differences: [line] });
    await (await openDatabase({ url: urlOf(db) })).close();
    await (await openDatabase({ url: urlOf(db), schemaDrift: 'warn' })).close();
    await expect
      .poll(() => warnings.filter((one) => 'code' in one && one.code === 'SYNTHDB_SCHEMA_DRIFT'))
      .toMatchObject([{ message: expect.stringContaining(line) }]);
  });

  test('distinguishes an invalid setting from a failed connection', async () => {
    await expect(openDatabase({ url: 'mysql://a:b@c/d' })).rejects.toBeInstanceOf(SettingsError);
    await expect(openDatabase({ url: 'postgresql://a:b@127.0.0.1:1/d' })).rejects.toBeInstanceOf(
      ConnectionError,
    );
  });
});

describe('a unit of work', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const count = (): Promise<number> => db.transact(({ em }) => em.count(Experiment));

  test('rolls back when work throws, and throws the same error', async () => {
    const failure = new Error('no');
    const before = await count();

    const work = db.transact(async (uow) => {
      uow.experiments.add(experiment);
      await uow.flush();
      throw failure;
    });

    await expect(work).rejects.toBe(failure);
    expect(await count()).toBe(before);
  });

  test('shares nothing with a concurrent one', async () => {
    const id = await db.transact(async ({ experiments }) => experiments.add(experiment).id);

    await db.read(async (one) =>
      db.read(async (other) => {
        expect(await one.experiments.get(id)).not.toBe(await other.experiments.get(id));
      }),
    );
  });

  test('refuses an unknown isolation level before it begins', async () => {
    // @ts-expect-error -- as a caller without types would say it
    const unknown = db.transact(async () => 'begun', { isolation: 'SERIALIZABLE' });

    await expect(unknown).rejects.toBeInstanceOf(SettingsError);
    await expect(unknown).rejects.toThrow('serializable');
  });

  test('throws for a missing row, with its entity and key', async () => {
    await expect(db.read(({ experiments }) => experiments.get('exp_missing'))).rejects.toThrow(
      new NotFoundError('Experiment', 'exp_missing'),
    );
  });

  test('throws for an existing key, with the name of the constraint', async () => {
    const id = await db.transact(async ({ experiments }) => experiments.add(experiment).id);

    const again = db.transact(async ({ experiments }) => void experiments.add({ id, ...experiment }));

    await expect(again).rejects.toBeInstanceOf(DuplicateError);
    await expect(again).rejects.toMatchObject({ constraint: 'experiments_pkey', table: 'experiments' });
  });

  test('refuses a row that references a missing one', async () => {
    const orphan = db.transact(
      async ({ analysisRuns }) =>
        void analysisRuns.add({ experiment: 'exp_missing', config: {}, startedAt: new Date() }),
    );

    await expect(orphan).rejects.toBeInstanceOf(DanglingReferenceError);
    await expect(orphan).rejects.toMatchObject({ constraint: 'fk_analysis_runs_experiment_id' });
  });

  test('has a refused value in the cause, never in the message', async () => {
    const refused = db.transact(
      async ({ experiments }) => void experiments.add({ ...experiment, name: `canary ${'x'.repeat(100)}` }),
    );

    await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
    await expect(refused).rejects.toMatchObject({ constraint: 'chk_experiments_name_length' });
    await expect(refused).rejects.toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('canary') }),
    );
  });

  test('refuses a missing required value before anything is sent', async () => {
    const refused = db.transact(
      // @ts-expect-error -- a hypothesis is required
      async ({ experiments }) => void experiments.add({ name: 'Half' }),
    );

    await expect(refused).rejects.toBeInstanceOf(InvalidValueError);
  });
});
