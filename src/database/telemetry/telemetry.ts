import type { MikroORM } from '@mikro-orm/postgresql';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { sqlStateOf } from '../../postgres/errors/translate-error.ts';
import { stderrLogger, type Logger } from './logger.ts';
import { statementText } from './statement-text.ts';
import { Tracing } from './tracing.ts';
import { watchStatements } from '../../postgres/client/watch-statements.ts';
import type { ScanOptions } from '../../postgres/sql/sql-scanner.ts';

/** What is logged, and where. No log line contains a value of a statement, a row or a password. */
export interface TelemetryOptions {
  /** Default: nothing is logged. */
  readonly logger?: Logger | undefined;
  /** Statements that take at least this many milliseconds are logged, as warnings; 0: none. Default of `openDatabase` 1,000. */
  readonly slowStatement?: number | undefined;
  /** Whether every statement is logged; on stderr where there is no logger. Default false. */
  readonly logStatements?: boolean | undefined;
}

/** Reports events of the connections to one database to a logger, and to OpenTelemetry if the service has installed it. */
export class Telemetry {
  readonly #target: DatabaseTarget;
  readonly #logger: Logger | undefined;
  readonly #slow: number;
  readonly #all: boolean;
  readonly #tracing: Tracing | null;
  readonly #leave: (() => void)[] = [];

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

  /** The same for another database: a replica. */
  of(target: DatabaseTarget): Telemetry {
    return new Telemetry(
      { logger: this.#logger, slowStatement: this.#slow, logStatements: this.#all },
      target,
      this.#tracing,
    );
  }

  /** Reports events of the ORM's pool and the statements on its connections, until `stop`. Opens no connection. */
  async watch(orm: MikroORM): Promise<void> {
    const pool = await orm.em.getConnection().getNativeClient();
    const logger = this.#logger;
    const database = this.#target.label;
    if (logger) {
      logger.info({ database, max: pool.options.max }, 'pool of connections made');
      const poolState = () => ({
        database,
        total: pool.totalCount,
        idle: pool.idleCount,
        waiting: pool.waitingCount,
      });
      pool.on('connect', () => logger.debug(poolState(), 'connection opened'));
      pool.on('remove', () => logger.debug(poolState(), 'connection closed'));
      // The error's own text is the driver's or the server's.
      pool.on('error', (error) =>
        logger.warn({ ...poolState(), code: sqlStateOf(error) || null }, 'idle connection lost'),
      );
    }
    if (this.#tracing) this.#leave.push(this.#tracing.pool(pool, database));
    if (this.#tracing || this.#all || (logger && Number.isFinite(this.#slow)))
      watchStatements(pool, (sql, strings) => this.#statement(sql, strings));
  }

  /** Runs a unit of work in a span. */
  unitOfWork<T>(kind: 'transact' | 'read', work: () => Promise<T>): Promise<T> {
    return this.#tracing ? this.#tracing.unitOfWork(kind, this.#target, work) : work();
  }

  /** Reports that a unit of work is retried after `error`: the number of the attempt, and its delay in milliseconds. */
  retrying(error: unknown, { attempt, delay }: { attempt: number; delay: number }): void {
    this.#tracing?.retrying(error, attempt);
    this.#logger?.warn(
      { database: this.#target.label, code: sqlStateOf(error), attempt, delay: rounded(delay) },
      'unit of work is run again',
    );
  }

  /** Reports why a replica is skipped, or, with null, that it is used again. */
  replica(unusable: string | null): void {
    const database = this.#target.label;
    if (unusable === null) this.#logger?.info({ database }, 'replica is read from again');
    else this.#logger?.warn({ database, why: unusable }, 'replica is passed over');
  }

  /** Stops the reports. */
  stop(): void {
    for (const leave of this.#leave.splice(0)) leave();
  }

  #statement(sql: string, strings?: ScanOptions): (error?: unknown) => void {
    const ended = this.#tracing?.statement(sql, this.#target, strings);
    const begun = performance.now();
    return (error) => {
      ended?.(error);
      const duration = performance.now() - begun;
      const slow = duration >= this.#slow;
      if (!this.#logger || !(slow || this.#all)) return;
      const fields = {
        database: this.#target.label,
        statement: statementText(sql, strings),
        duration: rounded(duration),
        ...(error !== undefined && { code: sqlStateOf(error) || null }),
      };
      if (slow) this.#logger.warn(fields, 'slow statement');
      else this.#logger.info(fields, 'statement');
    };
  }
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 10) / 10;
}
