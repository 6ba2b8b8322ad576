import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openDatabase } from '../../../src/index.ts';
import { copyRows } from '../../../src/postgres/copy/copy-rows.ts';
import { buildDatabaseUrl } from '../../../src/settings/database-url.ts';
import { TestDatabase, aSynth, anExperiment } from '../../../src/testing/index.ts';
import { canary } from '../reported-error.ts';
import { RecordingLogger } from './recording-logger.ts';

describe('the logger gets', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  test('the creation of the pool, and its opened and closed connections', async () => {
    const logger = new RecordingLogger();
    const database = await openDatabase({ url: db.url, logger, pool: { max: 3 } });
    await Promise.all([1, 2].map(() => database.transact(({ em }) => em.execute('select pg_sleep(0.05)'))));
    await database.close();

    expect(logger.of('connection pool created')).toMatchObject([
      { level: 'info', fields: { database: db.target.label, max: 3 } },
    ]);
    expect(logger.of('connection opened').length).toBeGreaterThan(0);
    await expect.poll(() => logger.of('connection closed')).toHaveLength(2);
    expect(logger.of('statement')).toEqual([]);
  });

  test('an idle connection that is lost', async () => {
    const logger = new RecordingLogger();
    await using database = await openDatabase({ url: db.url, logger });

    const ended = await db.orm.em.execute(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid() and application_name = 'synth-lab-data'`,
    );

    expect(ended).toHaveLength(1);
    await expect
      .poll(() => logger.of('idle connection lost'))
      .toMatchObject([{ level: 'warn', fields: { database: db.target.label, code: '57P01' } }]);
    expect(await database.read(({ experiments }) => experiments.find('exp_1'))).toBeNull();
  });

  test('only slow statements, of any sender', async () => {
    const logger = new RecordingLogger();
    await using database = await openDatabase({ url: db.url, logger, slowStatement: 100 });

    await database.read(({ synths }) => synths.count());
    await database.transact(({ em }) => em.execute(`select pg_sleep(0.15), ?`, [canary]));
    await database.transact(({ em }) => sql`select pg_sleep(0.15), ${canary}::text`.execute(em.getKysely()));
    await database
      .transact(({ em }) => em.execute(`select pg_sleep(0.15), ?::int`, [canary]))
      .catch(() => {});
    await database
      .transact(({ em }) =>
        em.execute(`do $$ begin perform pg_sleep(0.15); raise exception '${canary}'; end $$`),
      )
      .catch(() => {});

    const slow = logger.of('slow statement');
    expect(slow).toMatchObject([
      { level: 'warn', fields: { statement: 'select pg_sleep(?), ?', duration: expect.any(Number) } },
      { fields: { statement: 'select pg_sleep(?), $1::text' } },
      { fields: { statement: 'do ?', code: 'P0001' } },
    ]);
    expect(JSON.stringify(logger.all)).not.toContain(canary);
    for (const { fields } of slow) expect(fields['duration']).toBeGreaterThanOrEqual(100);
  });

  test('every statement on request: read models, COPY and failed ones', async () => {
    const logger = new RecordingLogger();
    await using database = await openDatabase({ url: db.url, logger, logStatements: true });
    logger.all.length = 0;

    await database.transact(async ({ em, synths }) => {
      anExperiment(em, { name: canary });
      aSynth(em);
      await em.flush();
      await synths.count();
      await copyRows(em, 'synth_groups', { id: 'text', name: 'text' }, [{ id: 'grp_1', name: canary }]);
    });
    await database.transact(({ em }) => em.execute('select 1 / 0')).catch(() => {});

    const told = logger.of('statement').map(({ fields }) => fields);
    const statements = told.map(({ statement }) => String(statement));
    expect(statements.filter((text) => text === 'begin')).toHaveLength(2);
    expect(statements).not.toContain('');
    expect(statements.some((text) => text.startsWith('insert into "experiments"'))).toBe(true);
    expect(statements.some((text) => text.startsWith('select count('))).toBe(true);
    expect(statements).toContain('copy "synth_groups" ("id", "name") from stdin (format binary)');
    expect(statements).toContain('commit');
    expect(told).toContainEqual(expect.objectContaining({ statement: 'select ? / ?', code: '22012' }));
    expect(JSON.stringify(logger.all)).not.toContain(canary);
  });

  test('only the sent statements of a transaction', async () => {
    const logger = new RecordingLogger();
    await using database = await openDatabase({
      url: db.url,
      logger,
      logStatements: true,
      schemaBehind: 'ignore',
      schemaAhead: 'ignore',
    });
    logger.all.length = 0;

    await database.transact(({ em }) => em.execute('select 1'));
    await database.read(({ synths }) => synths.count(), { timeouts: { statement: 5_000 } });

    expect(logger.of('statement').map(({ fields }) => fields['statement'])).toEqual([
      'begin',
      'select ?',
      'commit',
      expect.stringMatching(/^(?:begin|start transaction) .*read only/),
      'select set_config($1, $2, true)',
      expect.stringMatching(/^select count\(/),
      'commit',
    ]);
  });

  test('the retry of a unit of work', async () => {
    const logger = new RecordingLogger();
    await using database = await openDatabase({ url: db.url, logger });
    let runs = 0;

    await database.transact(
      async ({ em }) => {
        runs += 1;
        if (runs === 1) await em.execute(`do $$ begin raise serialization_failure; end $$`);
      },
      { retries: 1 },
    );

    expect(logger.of('unit of work is retried')).toMatchObject([
      { level: 'warn', fields: { code: '40001', attempt: 1, delay: expect.any(Number) } },
    ]);
  });

  test('no password', async () => {
    const logger = new RecordingLogger();
    const role = `told_${db.target.parts.database}`;
    await db.orm.em.execute(`create role "${role}" superuser login password '${canary}'`);
    const url = buildDatabaseUrl({ ...db.target.parts, user: role, password: canary });
    const database = await openDatabase({ url, logger, logStatements: true });
    await database.close();
    await db.orm.em.execute(`drop role "${role}"`);

    expect(logger.all.length).toBeGreaterThan(2);
    expect(JSON.stringify(logger.all)).not.toContain(canary);
  });
});

test('logs requested statements to stderr without a logger', async () => {
  await using db = await TestDatabase.create();
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);

  const lines = (): string[] => stderr.mock.calls.map(([line]) => String(line));
  const database = await openDatabase({ url: db.url, logStatements: true });
  await database.transact(({ em }) => em.execute('select ?', [canary]));
  await database.close();

  await expect.poll(() => lines().at(-1)).toContain('connection closed');
  const told = lines();
  stderr.mockRestore();
  const written = told.find((line) => line.includes('"select ?"'));
  expect(JSON.parse(written ?? '')).toMatchObject({ level: 'info', msg: 'statement', statement: 'select ?' });
  expect(told.join('')).not.toContain(canary);
});
