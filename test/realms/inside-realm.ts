import { readFileSync } from 'node:fs';
import { types } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Experiment } from '../../src/entities.ts';
import {
  ConnectionError,
  ContentionError,
  DuplicateError,
  InvalidValueError,
  isDataError,
  NotFoundError,
  openDatabase,
  SettingsError,
  type Database,
} from '../../src/index.ts';
import { loadRows } from '../../src/loading/index.ts';
import { Migrator } from 'mikro-orm-safe-migrations';
import { rejectionOf } from '../database/reported-error.ts';

// Run by `vm-pools.test.ts` in a realm of its own: what Node itself makes there has other classes than this file's.
const url = process.env['REALM_URL'];
let database: Database;
beforeAll(async () => void (database = await openDatabase(url === undefined ? {} : { url })));
afterAll(() => database.close());

const experiment = { name: 'in a realm', hypothesis: 'h' };

test('this is a realm of its own', async () => {
  const failure = await rejectionOf((async () => readFileSync('/nowhere'))());

  expect(failure instanceof Error).toBe(false);
  expect(types.isNativeError(failure)).toBe(true);
});

test('writes, and reads what was written', async () => {
  const id = await database.transact(async ({ experiments }) => experiments.add(experiment).id);

  const summary = await database.read(({ experiments }) => experiments.getSummary(id));

  expect(summary).toMatchObject({ id, ...experiment, createdAt: expect.any(Date) });
});

test('tells what is refused by its class and its code', async () => {
  const id = await database.transact(async ({ experiments }) => experiments.add(experiment).id);
  const twice = await rejectionOf(
    database.transact(({ experiments }) => Promise.resolve(experiments.add({ ...experiment, id }))),
  );
  const blank = await rejectionOf(
    database.transact(({ experiments }) => Promise.resolve(experiments.add({ ...experiment, name: ' ' }))),
  );
  const nowhere = await rejectionOf(
    database.read(({ experiments }) => experiments.getSummary('exp_nowhere')),
  );

  expect(twice).toBeInstanceOf(DuplicateError);
  expect(blank).toBeInstanceOf(InvalidValueError);
  expect(nowhere).toBeInstanceOf(NotFoundError);
  for (const error of [twice, blank, nowhere]) expect(isDataError(error)).toBe(true);
});

test('runs work again that met another', async () => {
  let runs = 0;

  await database.transact(
    async ({ em }) => {
      runs += 1;
      if (runs === 1) await em.execute(`do 'begin raise exception using errcode = 40001; end'`);
    },
    { retries: 1 },
  );

  expect(runs).toBe(2);
});

test('refuses the second of two editors', async () => {
  const { id } = await database.transact(async ({ experiments }) => experiments.add(experiment));

  const refused = database.transact(async ({ em }) => {
    const row = await em.findOneOrFail(Experiment, id);
    await database.transact(({ experiments }) => experiments.update(id, { name: 'first' }));
    row.name = 'second';
  });

  await expect(refused).rejects.toBeInstanceOf(ContentionError);
});

test('ends work by a signal, with its reason', async () => {
  const signal = AbortSignal.timeout(100);

  const ended = await rejectionOf(
    database.transact(({ em }) => em.execute('select pg_sleep(60)'), { signal }),
  );

  expect(ended).toBe(signal.reason);
});

test('names why there is no connection', async () => {
  const failure = await rejectionOf(openDatabase({ url: 'postgresql://user:secret@127.0.0.1:1/nothing' }));

  expect(failure).toBeInstanceOf(ConnectionError);
  expect(failure).toHaveProperty(
    'message',
    expect.stringContaining('no server is listening on this host and port (ECONNREFUSED)'),
  );
});

test('refuses settings', async () => {
  await expect(openDatabase({ url: 'nonsense' })).rejects.toBeInstanceOf(SettingsError);
});

test('loads rows whose times were made in another realm', async () => {
  const createdAt = structuredClone(new Date('2020-02-02T02:02:02.020Z'));

  const counts = await loadRows(database, {
    entity: Experiment,
    mode: 'append',
    rows: [{ ...experiment, name: 'loaded', createdAt }],
  });
  const rows = await database.transact(({ em }) => em.find(Experiment, { name: 'loaded' }));

  expect(createdAt instanceof Date).toBe(false);
  expect(counts).toMatchObject({ inserted: 1 });
  expect(rows.at(-1)?.createdAt.getTime()).toBe(createdAt.getTime());
});

test('migrates down and up', async () => {
  const migrator = new Migrator(database.orm);

  const down = await migrator.down();
  const up = await migrator.up();

  expect(up).toEqual([expect.objectContaining({ name: down[0]?.name })]);
  expect(await migrator.check()).toMatchObject({ agrees: true });
});
