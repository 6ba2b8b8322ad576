import { isNativeError } from 'node:util/types';
import type * as api from '@opentelemetry/api';
import type { Attributes, BatchObservableResult, Span, Tracer } from '@opentelemetry/api';
import type { Pool } from 'pg';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { sqlStateOf } from '../../postgres/errors/translate-error.ts';
import type { WatchedStatement } from '../../postgres/client/watch-statements.ts';
import { operationName, statementText } from './statement-text.ts';

type Api = typeof api;

const instrumentationName = 'synth-lab-data';
// The global property in which versions 1 of the API keep what a service registers.
const apiKey = Symbol.for('opentelemetry.js.api.1');

/** Spans and metrics by OpenTelemetry's conventions for databases. They have no values and no messages of errors. */
export class Tracing {
  readonly #api: Api;
  readonly #tracer: Tracer;

  private constructor(api: Api) {
    this.#api = api;
    this.#tracer = api.trace.getTracer(instrumentationName);
  }

  /**
   * Whether a service has registered traces or metrics with OpenTelemetry's API, which does nothing before. It can be asked without loading the
   * API.
   */
  static get isRegistered(): boolean {
    const registered: unknown = Reflect.get(globalThis, apiKey);
    return (
      typeof registered === 'object' &&
      registered !== null &&
      ('trace' in registered || 'metrics' in registered)
    );
  }

  /** Loads `@opentelemetry/api`. Returns null when the service has not installed it. */
  static async start(): Promise<Tracing | null> {
    try {
      return new Tracing(await import('@opentelemetry/api'));
    } catch (error) {
      if (isNativeError(error) && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return null;
      throw error;
    }
  }

  /** Runs `work` in a span, the parent of its statements' spans. */
  traceUnitOfWork<T>(kind: 'transact' | 'read', target: DatabaseTarget, work: () => Promise<T>): Promise<T> {
    return this.#tracer.startActiveSpan(kind, { attributes: serverAttributes(target) }, async (span) => {
      try {
        return await work();
      } catch (error) {
        this.#fail(span, error);
        throw error;
      } finally {
        span.end();
      }
    });
  }

  /** Adds an event for a retry to the span of the current unit of work. */
  recordRetry(error: unknown, attempt: number): void {
    this.#api.trace.getActiveSpan()?.addEvent('retry', { attempt, 'error.type': errorType(error) });
  }

  /** Begins the span of a statement of `call`. Only a sampled span has a `traceparent`. */
  startStatement(sql: string, call: string | undefined, target: DatabaseTarget): WatchedStatement {
    const operation = operationName(sql);
    const span = this.#tracer.startSpan(`${operation} ${target.parts.database}`, {
      kind: this.#api.SpanKind.CLIENT,
      attributes: {
        ...serverAttributes(target),
        'db.operation.name': operation,
        ...(call !== undefined && { 'code.function.name': call }),
      },
    });
    // Only when it is recorded: this costs more than everything else.
    if (span.isRecording()) span.setAttribute('db.query.text', statementText(sql));
    return {
      traceparent: traceparentOf(span),
      end: (error) => {
        if (error !== undefined) this.#fail(span, error);
        span.end();
      },
    };
  }

  /** Reports the usage of a pool whenever metrics are read, until the returned function is called. */
  observePool(pool: Pool, name: string): () => void {
    const meter = this.#api.metrics.getMeter(instrumentationName);
    const count = meter.createObservableUpDownCounter('db.client.connection.count', {
      description: 'Connections of the pool, by state',
      unit: '{connection}',
    });
    const max = meter.createObservableUpDownCounter('db.client.connection.max', {
      description: 'The maximum number of connections of the pool',
      unit: '{connection}',
    });
    const pending = meter.createObservableUpDownCounter('db.client.connection.pending_requests', {
      description: 'Requests that wait for a connection',
      unit: '{request}',
    });
    const instruments = [count, max, pending];
    const attributes: Attributes = { 'db.client.connection.pool.name': name };
    const observe = (observed: BatchObservableResult): void => {
      const { totalCount, idleCount, waitingCount } = pool;
      observed.observe(count, idleCount, { ...attributes, 'db.client.connection.state': 'idle' });
      observed.observe(count, totalCount - idleCount, {
        ...attributes,
        'db.client.connection.state': 'used',
      });
      observed.observe(max, pool.options.max, attributes);
      observed.observe(pending, waitingCount, attributes);
    };
    meter.addBatchObservableCallback(observe, instruments);
    return () => meter.removeBatchObservableCallback(observe, instruments);
  }

  // Not `recordException`: its message may have row data.
  #fail(span: Span, error: unknown): void {
    const sqlState = sqlStateOf(error);
    if (/^[0-9A-Z]{5}$/.test(sqlState)) span.setAttribute('db.response.status_code', sqlState);
    span.setAttribute('error.type', errorType(error));
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR });
  }
}

/** Returns the W3C trace context of a sampled span; undefined for any other. */
function traceparentOf(span: Span): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return span.isRecording() && (traceFlags & 1) === 1 ? `00-${traceId}-${spanId}-01` : undefined;
}

function serverAttributes({ parts }: DatabaseTarget): Attributes {
  return {
    'db.system.name': 'postgresql',
    'db.namespace': parts.database,
    'server.address': parts.host,
    'server.port': parts.port,
  };
}

function errorType(error: unknown): string {
  const isNamed = typeof error === 'object' && error !== null && 'name' in error;
  return sqlStateOf(error) || (isNamed ? String(error.name) : typeof error);
}
