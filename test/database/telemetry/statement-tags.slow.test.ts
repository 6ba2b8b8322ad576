import { tmpdir } from 'node:os';
import { MikroORM } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Experiment, Synth } from '../../../src/entities.ts';
import { openDatabase, withSynthLab, type Database } from '../../../src/index.ts';
import { loadRows } from '../../../src/loading/index.ts';
import { synthdb } from '../../cli/run.ts';
import { collect } from '../units/collect.ts';
import { canary } from '../reported-error.ts';
import { startCountingServer, type CountingServer } from './counting-server.ts';

const tag = /\/\*.*?\*\//gs;

let server: CountingServer;
let database: Database;

beforeAll(async () => {
  server = await startCountingServer();
  await server.client.query('create extension pg_stat_statements');
  database = await openDatabase({ url: server.url });
});
afterAll(async () => {
  await database.close();
  await server.stop();
});
beforeEach(async () => {
  await server.client.query('select pg_stat_statements_reset()');
});

/** Returns the texts of `pg_stat_statements`, without those of this file's own connection. */
async function statements(): Promise<string[]> {
  const { rows } = await server.client.query<{ query: string }>(
    `select query from pg_stat_statements where query !~ 'pg_stat_' order by query`,
  );
  return rows.map(({ query }) => query);
}

/** Returns the first word and the tags of each query, change and COPY. */
async function tags(): Promise<string[]> {
  const queries = (await statements()).filter((text) => !/^(?:begin|commit|savepoint|release)/.test(text));
  return queries
    .map((text) => [/^\w+/.exec(text), ...(text.match(tag) ?? [])].join(' '))
    .toSorted((one, other) => one.localeCompare(other));
}

/** Stores, reads and changes rows in every way of sending statements: of repositories, of the ORM, COPY, prepared or not. */
async function work(of: Database): Promise<void> {
  const id = await of.transact(async ({ experiments, analysisRuns, synthOutcomes, em }) => {
    const experiment = experiments.add({ name: canary, hypothesis: canary });
    const run = analysisRuns.add({
      experiment,
      config: { n_synths: 10 },
      startedAt: new Date(),
    });
    await em.flush();
    const outcome = { synthId: canary, didNotTryRate: 0.2, failedRate: 0.3, successRate: 0.5 };
    await synthOutcomes.saveAll(run.id, [{ ...outcome, synthAttributes: null }]);
    await em.find(Experiment, { name: canary });
    return experiment.id;
  });
  await of.read(async ({ experiments }) => {
    await experiments.pageSummaries({ limit: 7 });
    await experiments.getSummary(id);
    await experiments.get(id);
    await collect(experiments.streamSummaries());
  });
  await of.transact(({ experiments }) => experiments.update(id, { name: 'other' }));
  await loadRows(of, { entity: Synth, mode: 'append', rows: [{ id: `syn_${id}`, name: canary }] });
}

describe('the statistics of the server', () => {
  test('name the call that sent a statement: of a repository, the ORM, and COPY', async () => {
    await work(database);

    expect(await tags()).toEqual([
      'copy /*loadRows*/',
      'copy /*synthOutcomes.saveAll*/',
      'insert /*em.flush*/',
      'insert /*em.flush*/',
      'select /*em.find*/',
      'select /*experiments.get*/',
      'select /*experiments.getSummary*/',
      'select /*experiments.pageSummaries*/',
      'select /*experiments.streamSummaries*/',
      'select /*synthOutcomes.saveAll*/',
      'update /*em.flush*/',
    ]);
  });

  test('have one entry for a statement that several calls send', async () => {
    await work(database);
    await using unnamed = await openDatabase({ url: server.url, namedStatements: false });
    await work(unnamed);
    await database.transact(async ({ experiments, em }) => {
      const { data } = await experiments.pageSummaries({ limit: 1 });
      const [first] = data;
      if (first) await experiments.softDelete(first.id);
      await em.findOne(Experiment, { name: canary });
      await em.execute('select count(*) from synths');
    });
    await database.read(({ synths }) => synths.find('syn_1'));
    await database.read(({ synths }) => synths.get('syn_1').catch(() => null));

    const texts = await statements();
    expect(new Set(texts.map((text) => text.replaceAll(tag, ''))).size).toBe(texts.length);
    expect(
      texts.filter((text) => text.includes('from "synths"') && text.includes('where "id" = $1')),
    ).toHaveLength(1);
  });

  test('show no value in a tag', async () => {
    await work(database);

    const shown = (await statements()).flatMap((text) => text.match(tag) ?? []);
    expect(shown.length).toBeGreaterThan(8);
    for (const one of shown) expect(one).toMatch(/^\/\*[A-Za-z]+(?:\.[A-Za-z]+)?\*\/$/);
  });

  test("name the repositories' methods in a service's own MikroORM", async () => {
    const orm = new MikroORM(withSynthLab({ clientUrl: server.url }));
    try {
      const synths = orm.em.fork().getRepository(Synth);
      await synths.count();
      await collect(synths.streamSummaries());
    } finally {
      await orm.close(true);
    }

    expect(await tags()).toEqual(
      expect.arrayContaining(['select /*synths.count*/', 'select /*synths.streamSummaries*/']),
    );
  });
});

describe('synthdb insights', () => {
  test('shows the statistics by call', async () => {
    await work(database);

    const { code, stdout } = await synthdb(['insights', '--json'], tmpdir(), { DATABASE_URL: server.url });
    expect(code).toBe(0);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the command's output
    const { calls, hidden } = JSON.parse(stdout) as { hidden: number; calls: Record<string, unknown>[] };
    expect(hidden).toBe(0);
    expect(calls).toContainEqual({
      call: 'synthOutcomes.saveAll',
      statements: 2,
      executions: 2,
      totalMs: expect.any(Number),
      meanMs: expect.any(Number),
      maxMs: expect.any(Number),
      rows: 2,
      cached: expect.any(Number),
    });
    expect(calls.map(({ call }) => call)).toEqual(expect.arrayContaining(['loadRows', 'em.flush', null]));
  });

  test('shows a table', async () => {
    await work(database);

    const { stdout } = await synthdb(['insights'], tmpdir(), { DATABASE_URL: server.url });
    expect(stdout).toMatch(/^call +executions +total +mean +longest +rows +cached +share$/m);
    expect(stdout).toMatch(
      /^experiments\.pageSummaries +1 +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms +\d+ +\d+ % +\d+ %$/m,
    );
  });

  test('counts what the role may not read', async () => {
    await work(database);
    await server.client.query(`create role reader login password 'secret'`);
    const reader = new URL(server.url);
    [reader.username, reader.password] = ['reader', 'secret'];

    const { stdout } = await synthdb(['insights'], tmpdir(), { DATABASE_URL: reader.href });
    expect(stdout).toMatch(
      /^\d+ statements of other roles are left out: grant pg_read_all_stats to this role/m,
    );
    expect(stdout).not.toContain('experiments.');
  });

  test('names what is missing where the server does not count', async () => {
    await server.client.query('drop extension pg_stat_statements');

    const { code, stderr } = await synthdb(['insights'], tmpdir(), { DATABASE_URL: server.url });
    await server.client.query('create extension pg_stat_statements');
    expect(code).toBe(1);
    expect(stderr).toBe(
      'synthdb: the database has no pg_stat_statements: add it to shared_preload_libraries, restart the server, and run: ' +
        'create extension pg_stat_statements\n',
    );
  });
});

test('a session that waits for a lock names its call', async () => {
  const id = await database.transact(
    async ({ experiments }) => experiments.add({ name: 'n', hypothesis: 'h' }).id,
  );
  await server.client.query('begin');
  await server.client.query('select from experiments where id = $1 for update', [id]);

  const waiting = database.transact(({ experiments }) => experiments.softDelete(id));
  // On another connection: within a transaction, the server does not read the activity again.
  const shown = async (): Promise<string | undefined> => {
    const rows = await database.orm.em.execute<{ query: string }[]>(
      `select query from pg_stat_activity where wait_event_type = 'Lock'`,
    );
    return rows[0]?.query;
  };
  await expect.poll(shown).toMatch(/^update \/\*experiments\.softDelete\*\/ "experiments"/);

  await server.client.query('commit');
  await waiting;
});
