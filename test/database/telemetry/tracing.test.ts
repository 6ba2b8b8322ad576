import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  SpanStatusCode,
  context,
  metrics,
  trace,
  type Context,
  type ContextManager,
} from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SamplingDecision,
  SimpleSpanProcessor,
  type ReadableSpan,
  type Sampler,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { TestDatabase, anExperiment } from '../../../src/testing/index.ts';
import { concurrently } from '../../concurrency/concurrently.ts';
import { canary } from '../reported-error.ts';

/** The providers that a service's SDK registers. */
class Contexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    work: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(active, () => Reflect.apply(work, self, args));
  }

  bind<T>(_: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    return this;
  }
}

describe('OpenTelemetry gets', () => {
  const exporter = new InMemorySpanExporter();
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter });
  let isSampled = true;
  const sampler: Sampler = {
    shouldSample: () => ({
      decision: isSampled ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
    }),
    toString: () => 'sampler of the test',
  };
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    context.setGlobalContextManager(new Contexts());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    db = await TestDatabase.create();
    database = await openDatabase({ url: db.url, pool: { max: 4 } });
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
    await reader.shutdown();
    trace.disable();
    metrics.disable();
    context.disable();
  });
  beforeEach(() => exporter.reset());

  const named = (name: string): ReadableSpan[] =>
    exporter.getFinishedSpans().filter((span) => span.name === name);

  test('the statements with their trace context, when they are sampled and not prepared', async () => {
    // The text of the statement itself, as the server got it.
    const own = `select query from pg_stat_activity where pid = pg_backend_pid()`;
    const sent = async (): Promise<unknown> =>
      database.transact(async ({ em }) => (await em.execute<{ query: string }[]>(own))[0]?.query);

    const text = await sent();
    await database.read(({ experiments }) => experiments.find('exp_1'));

    const span = named(`SELECT ${db.target.parts.database}`).find(
      ({ attributes }) => attributes['db.query.text'] === own,
    );
    const { traceId = '', spanId = '' } = span?.spanContext() ?? {};
    expect(text).toBe(`${own} /*traceparent='00-${traceId}-${spanId}-01'*/`);
    const prepared = await database.transact(({ em }) =>
      em.execute<{ statement: string }[]>('select statement from pg_prepared_statements'),
    );
    expect(prepared).not.toEqual([]);
    expect(JSON.stringify(prepared)).not.toContain('traceparent');

    isSampled = false;
    expect(await sent()).toBe(own);
    isSampled = true;
  });

  test('each statement as a child of its unit of work', async () => {
    await database.transact(async ({ em }) => {
      anExperiment(em, { name: canary });
    });

    const { host, port, database: namespace } = db.target.parts;
    const [unit] = named('transact');
    const [insert] = named(`INSERT ${namespace}`);
    // Statements that are not sent have no span.
    expect(named(`QUERY ${namespace}`)).toEqual([]);
    expect(unit?.attributes).toMatchObject({ 'db.system.name': 'postgresql', 'db.namespace': namespace });
    expect(insert?.parentSpanContext?.spanId).toBe(unit?.spanContext().spanId);
    expect(insert?.attributes).toEqual({
      'code.function.name': 'em.flush',
      'db.system.name': 'postgresql',
      'db.namespace': namespace,
      'db.operation.name': 'INSERT',
      'db.query.text': expect.stringMatching(/^insert into "experiments" .* values \(\$1/),
      'server.address': host,
      'server.port': port,
    });
    expect(JSON.stringify(exporter.getFinishedSpans().map(({ attributes }) => attributes))).not.toContain(
      canary,
    );
  });

  test("units of work as children of the service's span", async () => {
    const parent = await trace.getTracer('service').startActiveSpan('request', async (span) => {
      await database.read(({ synths }) => synths.count());
      span.end();
      return span.spanContext().spanId;
    });

    expect(named('read')).toMatchObject([{ parentSpanContext: { spanId: parent } }]);
  });

  test('separate spans for concurrent units of work', async () => {
    await concurrently(20, (worker) =>
      database.transact(async ({ em }) => {
        await em.execute(
          `select ${'a'.repeat(worker + 1)} from (values (1)) as t(${'a'.repeat(worker + 1)})`,
        );
      }),
    );

    const units = named('transact').map((span) => span.spanContext().spanId);
    const statements = named(`SELECT ${db.target.parts.database}`);
    expect(statements).toHaveLength(20);
    expect(new Set(statements.map((span) => span.parentSpanContext?.spanId))).toEqual(new Set(units));
  });

  test('errors of PostgreSQL by code, without row data', async () => {
    const failing = database.transact(async ({ em }) => {
      anExperiment(em, { name: canary, hypothesis: ' ' });
    });
    await expect(failing).rejects.toThrow();

    const [unit] = named('transact');
    expect(unit).toMatchObject({
      status: { code: SpanStatusCode.ERROR },
      attributes: { 'db.response.status_code': '23514', 'error.type': '23514' },
      events: [],
    });
    const { database: namespace } = db.target.parts;
    expect(named(`INSERT ${namespace}`)).toMatchObject([{ status: { code: SpanStatusCode.ERROR } }]);
    const told = exporter
      .getFinishedSpans()
      .map(({ attributes, status, events }) => ({ attributes, status, events }));
    expect(JSON.stringify(told)).not.toContain(canary);
  });

  test('the usage of the pool', async () => {
    await database.transact(async ({ em }) => {
      await em.execute('select 1');
      await reader.forceFlush();
    });

    const [latest] = metricExporter.getMetrics().slice(-1);
    const points = latest?.scopeMetrics.flatMap(({ metrics: all }) =>
      all.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ value, attributes }) => ({
          name: descriptor.name,
          state: attributes['db.client.connection.state'],
          value,
        })),
      ),
    );
    expect(points).toEqual(
      expect.arrayContaining([
        { name: 'db.client.connection.count', state: 'used', value: 1 },
        { name: 'db.client.connection.count', state: 'idle', value: expect.any(Number) },
        { name: 'db.client.connection.max', state: undefined, value: 4 },
        { name: 'db.client.connection.pending_requests', state: undefined, value: 0 },
      ]),
    );
  });
});
