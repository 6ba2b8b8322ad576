import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { migrationGap } from 'mikro-orm-safe-migrations';
import { isPoolTimeout } from '../../postgres/errors/connection-failures.ts';
import { isOutOfConnections, noFreeConnection } from '../../postgres/errors/connection-limits.ts';
import { NoAnswerError, Probe } from '../../postgres/client/probe.ts';
import type { ReplicaHealth, ReplicaSet } from '../replicas/replica-set.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import type { DatabaseHealth, PoolHealth, SchemaHealth } from './database-health.ts';
import { PoolProbe, type PoolAnswer } from './pool-probe.ts';
import { ServerProbe } from './server-probe.ts';

/** Whether the pool serves a new unit of work. */
type Service =
  | { readonly status: 'serves'; readonly answer: PoolAnswer }
  | { readonly status: 'degraded' | 'saturated' | 'down'; readonly error: string };

/** Checks a database: through its pool, as a unit of work does, and on a new connection when the pool does not answer. */
export class HealthCheck {
  readonly #replicas: ReplicaSet;
  readonly #pool: PoolProbe;
  readonly #server: ServerProbe;
  readonly #schema: Probe<SchemaHealth>;
  #ended = false;

  constructor(orm: MikroORM, replicas: ReplicaSet) {
    this.#replicas = replicas;
    this.#pool = new PoolProbe(orm);
    this.#server = new ServerProbe(orm);
    this.#schema = new Probe(() => migrationGap(orm));
  }

  /** Reports the database as closed from now on, without a query, for which the ORM would connect. */
  end(): void {
    this.#ended = true;
    this.#pool.end();
    this.#server.end();
  }

  /** Returns the health of the database within `timeout` milliseconds. Never throws. */
  async examine(timeout: number): Promise<DatabaseHealth> {
    if (this.#ended) return closed;
    const deadline = performance.now() + timeout;
    const left = (): number => Math.max(deadline - performance.now(), 0);
    const [{ service, schema }, replicas] = await Promise.all([
      this.#serve(timeout, left),
      // At the same time as the primary, which may be down when they are up.
      this.#replicas.health(timeout),
    ]);
    return report(service, schema, replicas, await this.#pool.figures());
  }

  async #serve(
    timeout: number,
    left: () => number,
  ): Promise<{ service: Service; schema: SchemaHealth | null }> {
    const service = await this.#service(timeout, left);
    if (service.status !== 'serves') return { service, schema: null };
    return { service, schema: await this.#schema.ask(left()).catch(() => null) };
  }

  async #service(timeout: number, left: () => number): Promise<Service> {
    // Most waits for a connection end by then, and need no new connection.
    const first = await outcome(this.#pool.ask(timeout / 4));
    if ('answer' in first) return { status: 'serves', answer: first.answer };
    const [again, server] = await Promise.all([outcome(this.#pool.ask(left())), this.#server.ask(left())]);
    if ('answer' in again) return { status: 'serves', answer: again.answer };
    if (server.is === 'answers') return this.#unserved(again.error, timeout);
    if (server.is === 'full') return { status: 'saturated', error: server.what };
    const error = server.is === 'unreachable' ? inWords(server.error) : noAnswer(timeout);
    return { status: 'down', error };
  }

  /** Returns the state of a pool that does not work, while the server answers. */
  async #unserved(error: unknown, timeout: number): Promise<Service> {
    const { max, total, idle } = await this.#pool.figures();
    if (isOutOfConnections(error)) return { status: 'saturated', error: noFreeConnection };
    if (isPoolTimeout(error) || (idle === 0 && total >= max))
      return {
        status: 'saturated',
        error: `no connection was free within ${timeout} ms: all ${max} of the pool are in use`,
      };
    // All connections may have become free in this moment.
    const recovered = idle > 0 ? await outcome(this.#pool.ask(timeout / 8)) : { error };
    if ('answer' in recovered) return { status: 'serves', answer: recovered.answer };
    const why = error instanceof NoAnswerError ? noAnswer(timeout) : inWords(error);
    return { status: 'degraded', error: `the server answers on a new connection, the pool does not: ${why}` };
  }
}

const closed: DatabaseHealth = {
  status: 'down',
  ready: false,
  error: 'the database was closed',
  latency: null,
  pool: { max: 0, total: 0, idle: 0, waiting: 0 },
  schema: null,
  replicas: [],
};

function report(
  service: Service,
  schema: SchemaHealth | null,
  replicas: readonly ReplicaHealth[],
  pool: PoolHealth,
): DatabaseHealth {
  if (service.status !== 'serves') {
    const { status, error } = service;
    return { status, ready: false, error, latency: null, pool, schema, replicas };
  }
  const { latency, isUnexpectedStandby } = service.answer;
  const wrong = [
    ...(isUnexpectedStandby ? ['the server is a standby: nothing can be written'] : []),
    ...wrongWith(schema),
    ...replicas.flatMap(({ status }, index) =>
      status === 'up' ? [] : [`replica ${index + 1} is ${status}`],
    ),
  ];
  return {
    status: wrong.length === 0 ? 'up' : 'degraded',
    ready: (schema?.pending.length ?? 0) === 0,
    error: wrong.length === 0 ? null : wrong.join('; '),
    latency: Math.round(latency * 10) / 10,
    pool,
    schema,
    replicas,
  };
}

function wrongWith(schema: SchemaHealth | null): string[] {
  if (schema === null) return ['the list of migrations could not be read'];
  return [
    ...(schema.pending.length > 0 ? [`${schema.pending.length} migrations are pending`] : []),
    ...(schema.unknown.length > 0 ? [`${schema.unknown.length} migrations are newer than this code`] : []),
  ];
}

/** Returns the result or the error of a check. */
async function outcome<T>(asked: Promise<T>): Promise<{ readonly answer: T } | { readonly error: unknown }> {
  try {
    return { answer: await asked };
  } catch (error) {
    return { error };
  }
}

function noAnswer(milliseconds: number): string {
  return `no answer within ${milliseconds} ms`;
}

function inWords(thrown: unknown): string {
  const error = toDataError(thrown);
  return isNativeError(error) ? error.message : String(error);
}
