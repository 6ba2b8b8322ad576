import Fastify, { type FastifyInstance } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createDisconnectSignal } from '../../src/fastify/create-disconnect-signal.ts';
import { synthLabData, type SynthLabDataOptions } from '../../src/fastify/index.ts';
import {
  ConnectionError,
  ConstraintError,
  ContentionError,
  DanglingReferenceError,
  DuplicateError,
  ForbiddenError,
  InvalidJsonError,
  InvalidPageError,
  InvalidValueError,
  NotFoundError,
  ProtectedRowError,
  ReadOnlyError,
  StatementError,
  TooFewRowsError,
  UnavailableError,
  UnitOfWork,
  openDatabase,
} from '../../src/index.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';

const experiment = { name: 'Short checkout', hypothesis: 'Fewer steps sell more' };

/** What the three routes answer: the status of each. */
async function probed(origin: string): Promise<Record<'live' | 'ready' | 'health', number>> {
  const [live, ready, health] = await Promise.all(
    ['/health/live', '/health/ready', '/health'].map(async (path) => (await fetch(origin + path)).status),
  );
  return { live: live ?? 0, ready: ready ?? 0, health: health ?? 0 };
}

describe('the Fastify plugin', () => {
  let db: TestDatabase;
  const apps: FastifyInstance[] = [];
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.close();
  });
  afterAll(() => db.drop());

  /** An app that listens, with `routes` on it. */
  async function serve(
    routes: (app: FastifyInstance) => void,
    options: Omit<SynthLabDataOptions, 'database'> = {},
    url = db.url,
  ): Promise<{ app: FastifyInstance; origin: string }> {
    const app = Fastify({ forceCloseConnections: 'idle' });
    apps.push(app);
    const database = await openDatabase({ url, schemaBehind: 'ignore' });
    await app.register(synthLabData, { database, ...options });
    await app.register(async (scope) => routes(scope));
    return { app, origin: await app.listen({ host: '127.0.0.1', port: 0 }) };
  }

  test('adds units of work to each request', async () => {
    const { origin } = await serve((app) => {
      app.post('/experiments', (request) =>
        request.transact(async ({ experiments }) => experiments.add(experiment).id, { position: true }),
      );
      app.get<{ Params: { id: string } }>('/experiments/:id', (request) =>
        request.read(({ experiments }) => experiments.getSummary(request.params.id), { from: 'replica' }),
      );
    });

    const made = await fetch(`${origin}/experiments`, { method: 'POST' });
    const stored: unknown = await made.json();

    expect(stored).toEqual({ result: expect.stringMatching(/^exp_/), position: expect.stringMatching(/\//) });
    const [{ id } = { id: '' }] = await db.orm.em.execute<{ id: string }[]>('select id from experiments');
    const shown = await fetch(`${origin}/experiments/${id}`);
    expect(await shown.json()).toMatchObject({ id, ...experiment });
  });

  test('rolls back the writes of a request that fails', async () => {
    const { origin } = await serve((app) => {
      app.post('/experiments', (request) =>
        request.transact(async (uow) => {
          uow.experiments.add({ ...experiment, name: 'Taken back' });
          await uow.flush();
          throw new Error('after the fact');
        }),
      );
    });

    expect((await fetch(`${origin}/experiments`, { method: 'POST' })).status).toBe(500);
    expect(await db.orm.em.execute(`select id from experiments where name = 'Taken back'`)).toEqual([]);
  });

  test.each([
    [404, new NotFoundError('Experiment', 'exp_1')],
    [409, new DuplicateError('taken', { constraint: 'uq_1' })],
    [409, new ContentionError('busy', {})],
    [409, new DanglingReferenceError('dangling', {})],
    [409, new ConstraintError('rule', {})],
    [409, new ProtectedRowError('SynthGroup', 'grp_1')],
    [409, new TooFewRowsError('Synth', { needed: 2, found: 1 })],
    [422, new InvalidPageError('a page too far')],
    [422, new InvalidJsonError('synths.data', [])],
    [422, new InvalidValueError('too long', {})],
    [503, new ConnectionError('Database connection lost')],
    [503, new UnavailableError('full', {})],
  ])('answers with %i: %s', async (status, error) => {
    const { origin } = await serve((app) => app.get('/', () => Promise.reject(error)));

    const answer = await fetch(origin);

    expect(answer.status).toBe(status);
    expect(await answer.json()).toEqual({
      error: error.code,
      message: error.message,
      ...('constraint' in error && error.constraint !== undefined && { constraint: error.constraint }),
    });
  });

  test('handles errors of another copy of the package', async () => {
    vi.resetModules();
    const other = await import('../../src/errors.ts');
    const error = new other.DuplicateError('taken', { constraint: 'uq_1' });
    const { origin } = await serve((app) => app.get('/', () => Promise.reject(error)));

    const answer = await fetch(origin);

    expect(error).not.toBeInstanceOf(DuplicateError);
    expect(answer.status).toBe(409);
    expect(await answer.json()).toMatchObject({ error: 'duplicate', constraint: 'uq_1' });
  });

  test.each([
    new Error('canary'),
    new ForbiddenError('canary', { constraint: 'canary' }),
    new StatementError('canary', {}),
    new ReadOnlyError('canary'),
    'canary',
  ])('hides internal errors from the client: %s', async (error) => {
    const { origin } = await serve((app) =>
      app.get('/', () => {
        throw error;
      }),
    );

    const answer = await fetch(origin);

    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain('canary');
  });

  test("keeps the status of Fastify's errors, and the error handler of a scope", async () => {
    const { origin } = await serve((app) => {
      app.post('/', async () => 'never');
      app.setErrorHandler((error, _request, reply) => {
        if (!(error instanceof RangeError)) throw error;
        return reply.status(416).send({ error: 'range' });
      });
      app.get('/range', () => Promise.reject(new RangeError('out of it')));
      app.get('/missing', () => Promise.reject(new NotFoundError('Synth', 'syn_1')));
    });
    const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{' };

    expect((await fetch(origin, body)).status).toBe(400);
    expect((await fetch(`${origin}/range`)).status).toBe(416);
    expect((await fetch(`${origin}/missing`)).status).toBe(404);
  });

  test.each(['transact', 'read'] as const)(
    'cancels on the server what a client no longer waits for, and takes it for no failure: %s',
    async (method) => {
      const statuses: (number | undefined)[] = [];
      const { app, origin } = await serve((scope) => {
        scope.addHook('onError', async (_request, _reply, { statusCode }) => void statuses.push(statusCode));
        scope.post('/', (request) =>
          request[method](async (uow) => {
            if (!(uow instanceof UnitOfWork)) throw new Error('another unit of work than ours');
            if (method === 'transact')
              await uow.em.execute(`insert into synth_groups (id, name) values ('grp_gone', 'Gone')`);
            await uow.em.execute('select pg_sleep(60)');
            return {};
          }),
        );
      });
      const asleep = () =>
        db.orm.em.fork().execute(
          `select state from pg_stat_activity
            where datname = current_database() and query = 'select pg_sleep(60)' and state <> 'idle'`,
        );
      const leaving = new AbortController();
      const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
      const answer = fetch(origin, { ...body, signal: leaving.signal }).then(
        () => 'answered',
        () => 'left',
      );
      await expect.poll(asleep, { timeout: 10_000 }).toHaveLength(1);

      leaving.abort();

      expect(await answer).toBe('left');
      await expect.poll(asleep).toEqual([]);

      await expect.poll(() => statuses).toEqual([499]);
      expect(await db.orm.em.fork().execute(`select id from synth_groups where id = 'grp_gone'`)).toEqual([]);
      await app.close();
    },
  );

  test('reports the health of the database', async () => {
    const { origin } = await serve(() => {});

    const answer = await fetch(`${origin}/health`);

    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ status: 'up', schema: { pending: [] }, pool: { max: 10 } });
  });

  test('replies 503 while the server does not match target_session_attrs', async () => {
    const switched = await TestDatabase.create();
    const name = switched.target.parts.database;
    const { origin } = await serve(
      (app) =>
        app.get('/experiments', (request) =>
          request.read(({ experiments }) => experiments.scrollSummaries()),
        ),
      {},
      `${switched.url}${switched.url.includes('?') ? '&' : '?'}target_session_attrs=read-write`,
    );
    const becomes = async (readOnly: 'on' | 'off') => {
      await switched.orm.em.execute(
        `set transaction_read_only = off; alter database "${name}" set default_transaction_read_only = ${readOnly}`,
      );
      await switched.orm.em.execute(
        `select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '${name}' and pid <> pg_backend_pid()`,
      );
    };

    expect((await fetch(`${origin}/experiments`)).status).toBe(200);
    await becomes('on');
    const refused = await fetch(`${origin}/experiments`);
    await becomes('off');

    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: 'connection_failed' });
    expect((await fetch(`${origin}/experiments`)).status).toBe(200);
    await switched.drop();
  });

  test('replies 503 for an unreachable database, without its address', async () => {
    const gone = await TestDatabase.create();
    const { origin } = await serve(() => {}, {}, gone.url);
    await gone.drop();

    const answer = await fetch(`${origin}/health`);
    const text = await answer.text();

    expect(answer.status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ status: 'down' });
    expect(text).not.toContain(gone.target.parts.database);
  });

  test('is alive and ready while the database is up', async () => {
    const { origin } = await serve(() => {});

    expect(await probed(origin)).toEqual({ live: 200, ready: 200, health: 200 });
    expect(await (await fetch(`${origin}/health/live`)).json()).toEqual({ status: 'alive' });
    expect(await (await fetch(`${origin}/health/ready`)).json()).toEqual({
      ready: true,
      status: 'up',
      error: null,
    });
  });

  test('is alive, and not ready, while units of work hold the whole pool', async () => {
    const { origin } = await serve((app) => {
      app.get('/slow', (request) => request.transact(({ em }) => em.execute('select pg_sleep(4)')));
    });
    const slow = Array.from({ length: 10 }, () => fetch(`${origin}/slow`));
    await expect
      .poll(
        () =>
          db.orm.em
            .fork()
            .execute(
              `select 1 from pg_stat_activity where query = 'select pg_sleep(4)' and state = 'active'`,
            ),
        { timeout: 10_000, interval: 20 },
      )
      .toHaveLength(10);

    const [codes, ready] = await Promise.all([probed(origin), fetch(`${origin}/health/ready`)]);

    // `/health` passes too: it may be what is probed for liveness.
    expect(codes).toEqual({ live: 200, ready: 503, health: 200 });
    expect(await ready.json()).toEqual({
      ready: false,
      status: 'saturated',
      error: 'no connection was free within 2000 ms: all 10 of the pool are in use',
    });
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual(slow.map(() => 200));
    expect(await probed(origin)).toEqual({ live: 200, ready: 200, health: 200 });
  });

  test('is alive, and not ready, while the database is down or lacks migrations', async () => {
    const gone = await TestDatabase.create();
    await using empty = await TestServer.shared().createEmptyDatabase();
    const lacking = await serve(() => {}, {}, empty.url);
    const lost = await serve(() => {}, {}, gone.url);
    await gone.drop();

    expect(await probed(lost.origin)).toEqual({ live: 200, ready: 503, health: 503 });
    expect(await probed(lacking.origin)).toEqual({ live: 200, ready: 503, health: 503 });
    await lacking.app.close();
  });

  test('does not query the database for liveness', async () => {
    const { origin } = await serve(() => {});
    const lastStatement = `
      select max(query_start) as at from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()`;
    const before: unknown = await db.orm.em.fork().execute(lastStatement);

    expect((await fetch(`${origin}/health/live`)).status).toBe(200);

    expect(await db.orm.em.fork().execute(lastStatement)).toEqual(before);
  });

  test('serves health at the configured path, or not at all', async () => {
    const elsewhere = await serve(() => {}, { health: '/internal/database' });
    const nowhere = await serve(() => {}, { health: false });

    expect((await fetch(`${elsewhere.origin}/internal/database`)).status).toBe(200);
    expect((await fetch(`${elsewhere.origin}/internal/database/live`)).status).toBe(200);
    expect((await fetch(`${elsewhere.origin}/internal/database/ready`)).status).toBe(200);
    expect((await fetch(`${elsewhere.origin}/health`)).status).toBe(404);
    for (const path of ['/health', '/health/live', '/health/ready'])
      expect((await fetch(nowhere.origin + path)).status).toBe(404);
  });

  test('finishes running requests, closes their connections, then the database', async () => {
    const { promise: closing, resolve: goOn } = Promise.withResolvers<void>();
    const { promise: begun, resolve: running } = Promise.withResolvers<void>();
    const { app, origin } = await serve((scope) => {
      scope.get('/', (request) =>
        request.transact(async ({ em }) => {
          running();
          await closing;
          return { found: await em.execute('select 1 as one') };
        }),
      );
    });

    const answering = fetch(origin);
    await begun;
    const closed = app.close();
    goOn();
    const answer = await answering;

    expect(answer.headers.get('connection')).toBe('close');
    expect(await answer.json()).toEqual({ found: [{ one: 1 }] });
    await closed;
    await expect(fetch(origin)).rejects.toThrow();
    await expect
      .poll(
        () =>
          db.orm.em.fork().execute(
            `select pid from pg_stat_activity
              where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
          ),
        { timeout: 10_000 },
      )
      .toEqual([]);
  });
});

describe('a client that disconnects', () => {
  test('aborts the signal, and one that stays does not', async () => {
    const seen: boolean[] = [];
    const signals: AbortSignal[] = [];
    const { promise: left, resolve: leave } = Promise.withResolvers<void>();
    const app = Fastify({ forceCloseConnections: true });
    app.post<{ Querystring: { leaves?: string } }>('/', async (request, reply) => {
      const signal = createDisconnectSignal(reply);
      signals.push(signal);
      if (request.query.leaves) {
        leave();
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      } else await new Promise((resolve) => setTimeout(resolve, 20));
      seen.push(signal.aborted);
      return {};
    });
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    const body = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };

    await (await fetch(origin, body)).text();
    const leaving = new AbortController();
    const answer = fetch(`${origin}?leaves=1`, { ...body, signal: leaving.signal });
    await left;
    leaving.abort();

    await expect(answer).rejects.toThrow();
    await expect.poll(() => seen).toEqual([false, true]);
    await app.close();
    // The end of an answer is none either.
    expect(signals.map(({ aborted }) => aborted)).toEqual([false, true]);
  });
});
