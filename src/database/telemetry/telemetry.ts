import type { MikroORM } from '@mikro-orm/postgresql';
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
  readonly #tracing: Tracing | null;
  readonly #unsubscribes: (() => void)[] = [];

  private constructor(options: TelemetryOptions, target: DatabaseTarget, tracing: Tracing | null) {
    this.#target = target;
    this.#all = options.logStatements ?? false;
    this.#logger = options.logger ?? (this.#all ? stderrLogger : undefined);
    this.#slow = options.slowStatement || Infinity;
    this.#tracing = tracing;
  }

  static async start(options: TelemetryOptions, target: DatabaseTarget): Promise<Telemetry> {
    return new Telemetry(options, target, await Tracing.start());
  }

  /** Returns telemetry with the same options for another database, such as a replica. */
  forDatabase(target: DatabaseTarget): Telemetry {
    return new Telemetry(
      { logger: this.#logger, slowStatement: this.#slow, logStatements: this.#all },
      target,
      this.#tracing,
    );
  }

  /** Reports events and statements of the ORM's pool, until `stop`. Opens no connection. */
  async watch(orm: MikroORM): Promise<void> {
    const pool = await orm.em.getConnection().getNativeClient();
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
    if (this.#tracing) this.#unsubscribes.push(this.#tracing.observePool(pool, database));
    if (this.#tracing || this.#all || (logger && Number.isFinite(this.#slow)))
      watchStatements(pool, (sql, { tag }) => this.#statement(sql, tag));
  }

  /** Runs a unit of work in its own span. */
  traceUnitOfWork<T>(kind: 'transact' | 'read', work: () => Promise<T>): Promise<T> {
    return this.#tracing ? this.#tracing.traceUnitOfWork(kind, this.#target, work) : work();
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
    for (const unsubscribe of this.#unsubscribes.splice(0)) unsubscribe();
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
