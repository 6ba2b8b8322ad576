import { metrics, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../src/index.ts';
import { TestDatabase } from '../../../src/testing/index.ts';

describe('a service that registers its SDK after it opened the database', () => {
  const exporter = new InMemorySpanExporter();
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter });
  let db: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    db = await TestDatabase.create();
    database = await openDatabase({ url: db.url });
    await database.read(({ synths }) => synths.count());
    trace.setGlobalTracerProvider(
      new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }),
    );
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
  });
  afterAll(async () => {
    await database.close();
    await db.drop();
    await reader.shutdown();
    trace.disable();
    metrics.disable();
  });

  test('has the spans of its next units of work, and of their statements', async () => {
    await Promise.all([1, 2].map(() => database.read(({ synths }) => synths.count())));

    const spans = exporter.getFinishedSpans().map(({ name }) => name);
    const statement = `SELECT ${db.target.parts.database}`;
    expect(spans.toSorted()).toEqual([statement, statement, 'read', 'read']);
  });

  test('has the usage of its pool, once', async () => {
    await reader.forceFlush();

    const [latest] = metricExporter.getMetrics().slice(-1);
    const [{ metrics: found } = { metrics: [] }] = latest?.scopeMetrics ?? [];
    expect(found.map(({ descriptor, dataPoints }) => [descriptor.name, dataPoints.length])).toEqual([
      ['db.client.connection.count', 2],
      ['db.client.connection.max', 1],
      ['db.client.connection.pending_requests', 1],
    ]);
  });
});
