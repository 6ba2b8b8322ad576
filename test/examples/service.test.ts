import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildApp } from '../../examples/service/app.ts';
import { openDatabase } from '../../src/index.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { attributes } from '../repositories/some-outcomes.ts';

const dimension = { score: 0.4 };
const scorecard = {
  feature_name: 'One tap',
  description_text: 'Pay with one tap',
  complexity: dimension,
  initial_effort: dimension,
  perceived_risk: dimension,
  time_to_value: dimension,
};
const params = { complexity: 0.4, initial_effort: 0.4, perceived_risk: 0.4, time_to_value: 0.4 };
describe('the example service', () => {
  let db: TestDatabase;
  let app: FastifyInstance;
  let origin: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    app = buildApp(await openDatabase({ url: urlOf(db) }));
    origin = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(async () => {
    await app.close();
    await db.drop();
  });

  // An answer is whatever the service sent, which the tests look into.
  // oxlint-disable-next-line typescript/no-explicit-any
  type Answer = { status: number; body: any };
  const send = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(`${origin}${path}`, {
      method,
      ...(body !== undefined && {
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json');
    return { status: response.status, body: isJson ? JSON.parse(text) : text };
  };
  const newExperiment = async (): Promise<string> =>
    (await send('POST', '/experiments', { name: 'One tap', hypothesis: 'Fewer taps sell more' })).body.id;

  test('creates, lists, shows, changes, deletes and restores an experiment', async () => {
    const id = await newExperiment();

    expect(await send('PATCH', `/experiments/${id}`, { name: 'Two taps' })).toMatchObject({ status: 204 });
    expect(await send('PUT', `/experiments/${id}/scorecard`, scorecard)).toMatchObject({ status: 204 });
    expect(await send('GET', `/experiments/${id}`)).toMatchObject({
      status: 200,
      body: { id, name: 'Two taps', hypothesis: 'Fewer taps sell more', hasScorecard: true },
    });
    expect((await send('GET', '/experiments?limit=1')).body.pagination).toMatchObject({
      limit: 1,
      offset: 0,
    });
    expect(await send('DELETE', `/experiments/${id}`)).toMatchObject({ status: 204 });
    expect(await send('GET', `/experiments/${id}`)).toMatchObject({
      status: 404,
      body: { error: 'not_found' },
    });
    expect(await send('POST', `/experiments/${id}/restore`)).toMatchObject({ status: 204 });
    expect(await send('GET', `/experiments/${id}`)).toMatchObject({ status: 200 });
  });

  test('refuses invalid requests with a code, and stores nothing', async () => {
    const before = (await send('GET', '/experiments')).body.pagination.total;

    expect(await send('POST', '/experiments', { name: 'x'.repeat(101), hypothesis: 'h' })).toMatchObject({
      status: 422,
      body: { error: 'invalid_value' },
    });
    expect(await send('POST', '/experiments', { name: 'no hypothesis' })).toMatchObject({
      status: 422,
      body: { error: 'invalid_request' },
    });
    expect(await send('GET', '/experiments?limit=1000')).toMatchObject({
      status: 422,
      body: { error: 'invalid_page' },
    });
    expect(await send('GET', '/experiments/exp_missing')).toMatchObject({ status: 404 });
    expect((await send('GET', '/experiments')).body.pagination.total).toBe(before);
  });

  test('shows the synths of a group, and keeps them when the group is deleted', async () => {
    const { id } = (await send('POST', '/synth-groups', { name: 'Adults' })).body;
    await db.transact(async ({ synths }) => void synths.add({ name: 'Ana', synthGroup: id }));

    expect(await send('GET', `/synth-groups/${id}`)).toMatchObject({
      status: 200,
      body: { name: 'Adults', synthCount: 1 },
    });
    expect(await send('DELETE', `/synth-groups/${id}`)).toMatchObject({ status: 204 });
    expect(await send('GET', `/synth-groups/${id}`)).toMatchObject({ status: 404 });
    expect(await db.read(({ synths }) => synths.count())).toBe(1);
  });

  test('starts an analysis once, also when two requests start it concurrently', async () => {
    const id = await newExperiment();

    const started = await Promise.all(
      [1, 2, 3].map(() => send('POST', `/experiments/${id}/analysis`, { n_synths: 10 })),
    );

    expect(started.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409, 409]);
    expect(started.find(({ status }) => status === 409)?.body).toMatchObject({
      error: 'duplicate',
      constraint: 'uq_analysis_runs_experiment_id',
    });
  });

  test('stores all results of an analysis, and an exploration of it', async () => {
    const id = await newExperiment();
    const { id: analysis } = (await send('POST', `/experiments/${id}/analysis`, {})).body;
    const aggregated = { did_not_try_rate: 0.2, failed_rate: 0.3, success_rate: 0.5 };

    const bad = { outcomes: [outcome('s1'), { ...outcome('s2'), successRate: 2 }], aggregated, seconds: 1 };
    expect(await send('PUT', `/analyses/${analysis}/results`, bad)).toMatchObject({ status: 422 });
    expect(await send('GET', `/analyses/${analysis}`)).toMatchObject({
      body: { status: 'pending', statistics: null },
    });

    const good = { outcomes: [outcome('s1'), outcome('s2')], aggregated, seconds: 1 };
    expect(await send('PUT', `/analyses/${analysis}/results`, good)).toMatchObject({ status: 204 });
    expect(await send('GET', `/analyses/${analysis}`)).toMatchObject({
      body: { status: 'completed', totalSynths: 2 },
    });
    expect((await send('GET', `/analyses/${analysis}/outcomes?limit=1`)).body.pagination).toMatchObject({
      total: 2,
      hasNext: true,
    });

    const goal = { metric: 'success_rate', operator: '>=', value: 0.6 };
    const { id: exploration } = (
      await send('POST', `/experiments/${id}/explorations`, { goal, config: {}, params })
    ).body;
    const tree = await send('GET', `/explorations/${exploration}`);
    const root = tree.body.nodes[0].id;
    const results = { success_rate: 0.6, fail_rate: 0.2, did_not_try_rate: 0.2 };
    const child = await send('POST', `/nodes/${root}/children`, {
      shortAction: 'Fewer fields',
      params,
      results,
    });
    expect(child.status).toBe(201);
    expect(
      (await send('GET', `/nodes/${child.body.id}/path`)).body.map((node: { id: string }) => node.id),
    ).toEqual([root, child.body.id]);
    expect(await send('GET', `/explorations/${exploration}`)).toMatchObject({
      body: { exploration: { totalNodes: 2, currentDepth: 1, bestSuccessRate: 0.6 } },
    });
  });

  test('one request at a time generates a document, and others read it when it is complete', async () => {
    const id = await newExperiment();
    const path = `/experiments/${id}/documents/summary`;

    const started = await Promise.all([1, 2].map(() => send('POST', path, { model: 'm' })));
    expect(started.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 409]);
    expect(await send('GET', path)).toMatchObject({ status: 404 });
    const token = started.find(({ status }) => status === 201)?.body.token;
    expect(await send('PUT', path, { token, markdown: '# Summary' })).toMatchObject({ status: 204 });
    expect(await send('PUT', path, { token, markdown: '# Again' })).toMatchObject({ status: 409 });
    expect(await send('GET', path)).toMatchObject({ status: 200, body: '# Summary' });
    expect((await send('GET', `/experiments/${id}/documents`)).body).toMatchObject([
      { documentType: 'summary', status: 'completed' },
    ]);
  });

  test('replies 503 without the address when the database is unreachable', async () => {
    const gone = await TestDatabase.create();
    const other = buildApp(await openDatabase({ url: urlOf(gone) }));
    await gone.drop();

    const answer = await other.inject({ method: 'GET', url: '/experiments' });

    expect(answer.statusCode).toBe(503);
    expect(answer.body).not.toContain(gone.target.parts.password);
    await other.close();
  });

  test('close waits for the running request, and refuses new ones', async () => {
    const own = buildApp(await openDatabase({ url: urlOf(db) }));
    const address = await own.listen({ host: '127.0.0.1', port: 0 });
    await using blocker = await openDatabase({ url: urlOf(db) });
    const id = await newExperiment();

    let changed: Promise<Response> | undefined;
    let closed: Promise<void> | undefined;
    await blocker.transact(async ({ em }) => {
      await em.execute('select 1 from experiments where id = ? for update', [id]);
      changed = fetch(`${address}/experiments/${id}`, { method: 'DELETE' });
      // The request is under way once its statement waits for our lock.
      await expect
        .poll(() =>
          em.execute(
            `select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
          ),
        )
        .toHaveLength(1);
      closed = own.close();
    });

    expect((await changed)?.status).toBe(204);
    await closed;
    await expect(fetch(`${address}/experiments`)).rejects.toThrow();
  });
});

function urlOf({ target: { parts } }: TestDatabase): string {
  return `postgresql://${parts.user}:${encodeURIComponent(parts.password)}@${parts.host}:${parts.port}/${parts.database}`;
}

function outcome(synthId: string) {
  return { synthId, didNotTryRate: 0.2, failedRate: 0.3, successRate: 0.5, synthAttributes: attributes };
}
