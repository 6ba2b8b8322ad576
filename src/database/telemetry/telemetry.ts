import type { MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { sqlStateOf } from '../../postgres/errors/translate-error.ts';
import { stderrLogger, type Logger } from './logger.ts';
import { statementText } from './statement-text.ts';
import { Tracing } from './tracing.ts';
import { watchStatements, type WatchedStatement } from '../../postgres/client/watch-statements.ts';

/** The logger, and the statements to log. No line has a value of a statement, a row or a password. */
export interface TelemetryOptions {
  /** Default: nothing is emitted. */
  readonly logger?: Logger | undefined;
  /** Statements that take at least this many milliseconds are logged, as warnings; 0: none. Default of `openDatabase` 1,000. */
  readonly slowStatement?: number | undefined;
  /** Whether every statement is logged; on stderr where there is no logger. Default false. */
  readonly logStatements?: boolean | undefined;
}

/** Reports the connections, statements and units of work of one database to a logger, and to OpenTelemetry where it is installed. */
export class Telemetry {
  readonly #target: DatabaseTarget;
  readonly #logger: Logger | undefined;
  readonly #slow: number;
  readonly #all: boolean;
  readonly #unsubscribes: (() => void)[] = [];
  /** Null where OpenTelemetry is not installed; undefined before something was registered with it. */
  #tracing: Tracing | null | undefined;
  #startingTracing: Promise<void> | undefined;
  #pool: Pool | undefined;
  #watchesStatements = false;

  private constructor(options: TelemetryOptions, target: DatabaseTarget) {
    this.#target = target;
    this.#all = options.logStatements ?? false;
    this.#logger = options.logger ?? (this.#all ? stderrLogger : undefined);
    this.#slow = options.slowStatement || Infinity;
  }

  static async start(options: TelemetryOptions, target: DatabaseTarget): Promise<Telemetry> {
    const telemetry = new Telemetry(options, target);
    if (Tracing.isRegistered) await telemetry.#startTracing();
    return telemetry;
  }

  /** Returns telemetry with the same options for another database, such as a replica. */
  forDatabase(target: DatabaseTarget): Telemetry {
    const other = new Telemetry(
      { logger: this.#logger, slowStatement: this.#slow, logStatements: this.#all },
      target,
    );
    other.#tracing = this.#tracing;
    return other;
  }

  /** Reports events and statements of the ORM's pool, until `stop`. Opens no connection. */
  async watch(orm: MikroORM): Promise<void> {
    const pool = await orm.em.getConnection().getNativeClient();
    this.#pool = pool;
    const logger = this.#logger;
    const database = this.#target.label;
    if (logger) {
      logger.info({ database, max: pool.options.max }, 'connection pool created');
      const usage = () => ({
        database,
        total: pool.totalCount,
        idle: pool.idleCount,
        waiting: pool.waitingCount,
      });
      pool.on('connect', () => logger.debug(usage(), 'connection opened'));
      pool.on('remove', () => logger.debug(usage(), 'connection closed'));
      // Not the error's message, which is the driver's or the server's.
      pool.on('error', (error) =>
        logger.warn({ ...usage(), code: sqlStateOf(error) || null }, 'idle connection lost'),
      );
    }
    this.#observePool();
    if (this.#all || (logger && Number.isFinite(this.#slow))) this.#watchStatements();
  }

  /** Runs a unit of work in its own span. */
  traceUnitOfWork<T>(kind: 'transact' | 'read', work: () => Promise<T>): Promise<T> {
    if (this.#tracing) return this.#tracing.traceUnitOfWork(kind, this.#target, work);
    if (this.#tracing === null || !Tracing.isRegistered) return work();
    return this.#startTracing().then(() => this.traceUnitOfWork(kind, work));
  }

  /** Reports a retry of a unit of work after `error`, with its number and its delay in milliseconds. */
  reportRetry(error: unknown, { attempt, delay }: { attempt: number; delay: number }): void {
    this.#tracing?.recordRetry(error, attempt);
    this.#logger?.warn(
      { database: this.#target.label, code: sqlStateOf(error), attempt, delay: rounded(delay) },
      'unit of work is retried',
    );
  }

  /** Reports that a replica is no longer used because of `error`, or, with null, that it is used again. */
  reportReplica(error: string | null): void {
    const database = this.#target.label;
    if (error === null) this.#logger?.info({ database }, 'replica is used again');
    else this.#logger?.warn({ database, error }, 'replica is not used');
  }

  /** Stops the reports of the pools. */
  stop(): void {
    this.#pool = undefined;
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe();
  }

  #startTracing(): Promise<void> {
    this.#startingTracing ??= this.#loadTracing();
    return this.#startingTracing;
  }

  async #loadTracing(): Promise<void> {
    this.#tracing = await Tracing.start();
    this.#observePool();
  }

  /** Reports the pool and its statements to OpenTelemetry, once both are known. */
  #observePool(): void {
    if (!this.#tracing || !this.#pool) return;
    this.#unsubscribes.push(this.#tracing.observePool(this.#pool, this.#target.label));
    this.#watchStatements();
  }

  #watchStatements(): void {
    if (!this.#pool || this.#watchesStatements) return;
    this.#watchesStatements = true;
    watchStatements(this.#pool, (sql, { tag }) => this.#statement(sql, tag));
  }

  #statement(sql: string, call: string | undefined): WatchedStatement {
    const span = this.#tracing?.startStatement(sql, call, this.#target);
    const begun = performance.now();
    const end = (error?: unknown): void => {
      span?.end(error);
      const duration = performance.now() - begun;
      const slow = duration >= this.#slow;
      if (!this.#logger || !(slow || this.#all)) return;
      const fields = {
        database: this.#target.label,
        ...(call !== undefined && { call }),
        statement: statementText(sql),
        duration: rounded(duration),
        ...(error !== undefined && { code: sqlStateOf(error) || null }),
      };
      if (slow) this.#logger.warn(fields, 'slow statement');
      else this.#logger.info(fields, 'statement');
    };
    return { traceparent: span?.traceparent, end };
  }
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
