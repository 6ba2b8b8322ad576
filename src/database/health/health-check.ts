import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { isPoolTimeout } from '../../postgres/errors/connection-failures.ts';
import { isOutOfConnections, noFreeConnection } from '../../postgres/errors/connection-limits.ts';
import { NoAnswerError, Probe } from '../../postgres/client/probe.ts';
import type { ReplicaHealth, ReplicaSet } from '../replicas/replica-set.ts';
import { toDataError } from '../../postgres/errors/translate-error.ts';
import type { DatabaseHealth, PoolHealth, SchemaHealth } from './database-health.ts';
import { PoolProbe, type PoolAnswer } from './pool-probe.ts';
import { ServerProbe } from './server-probe.ts';

/** Whether a unit of work would get a connection that works. */
type PoolState =
  | { readonly status: 'ready'; readonly answer: PoolAnswer }
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
    this.#schema = new Probe(async () => (await import('mikro-orm-safe-migrations/gap')).migrationGap(orm));
  }

  /** Reports the database as closed from now on, without a query, for which the ORM would connect. */
  end(): void {
    this.#ended = true;
    this.#pool.end();
    this.#server.end();
  }

  /** Returns the health of the database within `timeout` milliseconds. Never throws. */
  async check(timeout: number): Promise<DatabaseHealth> {
    if (this.#ended) return closed;
    const deadline = performance.now() + timeout;
    const left = (): number => Math.max(deadline - performance.now(), 0);
    const [{ state, schema }, replicas] = await Promise.all([
      this.#checkPrimary(timeout, left),
      // At the same time as the primary, which may be down when they are up.
      this.#replicas.health(timeout),
    ]);
    return report(state, schema, replicas, await this.#pool.usage());
  }

  async #checkPrimary(
    timeout: number,
    left: () => number,
  ): Promise<{ state: PoolState; schema: SchemaHealth | null }> {
    const state = await this.#checkPool(timeout, left);
    if (state.status !== 'ready') return { state, schema: null };
    return { state, schema: await this.#schema.run(left()).catch(() => null) };
  }

  async #checkPool(timeout: number, left: () => number): Promise<PoolState> {
    // Most waits for a connection end by then, and need no new connection.
    const first = await settled(this.#pool.check(timeout / 4));
    if ('answer' in first) return { status: 'ready', answer: first.answer };
    const [again, server] = await Promise.all([
      settled(this.#pool.check(left())),
      this.#server.check(left()),
    ]);
    if ('answer' in again) return { status: 'ready', answer: again.answer };
    if (server.status === 'answers') return this.#classifyFailure(again.error, timeout);
    if (server.status === 'full') return { status: 'saturated', error: server.message };
    const error = server.status === 'unreachable' ? messageOf(server.error) : noAnswerWithin(timeout);
    return { status: 'down', error };
  }

  /** Returns the state of a pool that does not work, while the server answers. */
  async #classifyFailure(error: unknown, timeout: number): Promise<PoolState> {
    const { max, total, idle } = await this.#pool.usage();
    if (isOutOfConnections(error)) return { status: 'saturated', error: noFreeConnection };
    if (isPoolTimeout(error) || (idle === 0 && total >= max))
      return {
        status: 'saturated',
        error: `no connection was free within ${timeout} ms: all ${max} of the pool are in use`,
      };
    // All connections may have become free in this moment.
    const recovered = idle > 0 ? await settled(this.#pool.check(timeout / 8)) : { error };
    if ('answer' in recovered) return { status: 'ready', answer: recovered.answer };
    const reason = error instanceof NoAnswerError ? noAnswerWithin(timeout) : messageOf(error);
    return {
      status: 'degraded',
      error: `the server answers on a new connection, the pool does not: ${reason}`,
    };
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
  state: PoolState,
  schema: SchemaHealth | null,
  replicas: readonly ReplicaHealth[],
  pool: PoolHealth,
): DatabaseHealth {
  if (state.status !== 'ready') {
    const { status, error } = state;
    return { status, ready: false, error, latency: null, pool, schema, replicas };
  }
  const { latency, isUnexpectedStandby } = state.answer;
  const problems = [
    ...(isUnexpectedStandby ? ['the server is a standby: nothing can be written'] : []),
    ...schemaProblems(schema),
    ...replicas.flatMap(({ status }, index) =>
      status === 'up' ? [] : [`replica ${index + 1} is ${status}`],
    ),
  ];
  return {
    status: problems.length === 0 ? 'up' : 'degraded',
    ready: (schema?.pending.length ?? 0) === 0,
    error: problems.length === 0 ? null : problems.join('; '),
    latency: Math.round(latency * 10) / 10,
    pool,
    schema,
    replicas,
  };
}

function schemaProblems(schema: SchemaHealth | null): string[] {
  if (schema === null) return ['the list of migrations could not be read'];
  return [
    ...(schema.pending.length > 0
      ? [
          schema.pending.length === 1
            ? '1 migration is pending'
            : `${schema.pending.length} migrations are pending`,
        ]
      : []),
    ...(schema.unknown.length > 0 ? [`${schema.unknown.length} migrations are newer than this code`] : []),
  ];
}

/** Returns the result or the error of a check. */
async function settled<T>(
  checking: Promise<T>,
): Promise<{ readonly answer: T } | { readonly error: unknown }> {
  try {
    return { answer: await checking };
  } catch (error) {
    return { error };
  }
}

function noAnswerWithin(milliseconds: number): string {
  return `no answer within ${milliseconds} ms`;
}

function messageOf(thrown: unknown): string {
  const error = toDataError(thrown);
  return isNativeError(error) ? error.message : String(error);
}
