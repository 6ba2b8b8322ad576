import {
  isRaw,
  raw,
  type AnyEntity,
  type Dictionary,
  type EntityData,
  type LogContext,
  type LoggingOptions,
  type QueryResult,
  type RawQueryFragment,
  type Transaction,
} from '@mikro-orm/core';
import { NativeQueryBuilder, PostgreSqlConnection } from '@mikro-orm/postgresql';
import { CompiledQuery, type AbortableQueryOptions, type Kysely } from 'kysely';
import { bindValues } from './bind-values.ts';

type Query = string | NativeQueryBuilder | RawQueryFragment;
type Values = readonly unknown[] | Dictionary<unknown>;

/** A statement as it is sent, and as it is logged. */
interface Prepared {
  readonly compiled: CompiledQuery;
  /** The text for the ORM's log, with the values only where its namespace `query-params` is enabled. */
  readonly logged: string;
  readonly context: LogContext;
  readonly abort: AbortableQueryOptions | undefined;
}

/**
 * The ORM's connection, which sends the values of the ORM's statements as parameters, so that no log, trace or statistic of statements shows
 * them. The ORM writes them into the text. Where PostgreSQL could read a parameter in another way than a literal, the value stays in the text: see
 * `parameterPositions`.
 */
export class ParameterConnection extends PostgreSqlConnection {
  override async execute<
    T extends QueryResult | EntityData<AnyEntity> | EntityData<AnyEntity>[] = EntityData<AnyEntity>[],
  >(
    query: Query,
    params: Values = [],
    method: 'all' | 'get' | 'run' = 'all',
    ctx?: Transaction,
    loggerContext?: LoggingOptions,
  ): Promise<T> {
    await this.ensureConnection();
    const { compiled, logged, context, abort } = this.#prepare(query, params, loggerContext);
    const send = async (): Promise<T> =>
      this.transformRawResult<T>(await clientOf(this, ctx).executeQuery(compiled, abort), method);
    return this.executeQuery(logged, send, context);
  }

  override async *stream<T extends EntityData<AnyEntity>>(
    query: Query,
    params: Values = [],
    ctx?: Transaction<Kysely<unknown>>,
    loggerContext?: LoggingOptions,
    chunkSize = 100,
  ): AsyncIterableIterator<T> {
    await this.ensureConnection();
    const { compiled, logged, context, abort } = this.#prepare(query, params, loggerContext);
    try {
      const signal = abort?.signal;
      const chunks = clientOf(this, ctx)
        .getExecutor()
        .stream<T>(compiled, chunkSize, signal ? { signal } : undefined);
      this.logQuery(logged, { sql: logged, ...context });
      for await (const chunk of chunks) yield* this.transformRawResult<T[]>(chunk, 'all');
    } catch (error) {
      this.logQuery(logged, { sql: logged, ...context, level: 'error' });
      throw error;
    }
  }

  #prepare(given: Query, values: Values, options: LoggingOptions | undefined): Prepared {
    const { sql, params } = fragmentOf(given, values);
    const query = this.config.get('onQuery')(sql, params);
    const { abort, context } = splitOptions(options);
    const bound = bindValues(query, params, this.platform);
    return {
      compiled: CompiledQuery.raw(bound.sql, [...bound.values]),
      logged: this.#logged(query, params, options),
      context: { query, params, ...context },
      abort,
    };
  }

  #logged(query: string, params: readonly unknown[], context: LoggingOptions | undefined): string {
    const logger = this.config.getLogger();
    return logger.isEnabled('query', context) && logger.isEnabled('query-params', context)
      ? this.platform.formatQuery(query, params)
      : query;
  }
}

function clientOf(connection: PostgreSqlConnection, transaction: unknown): Kysely<unknown> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's transactions on PostgreSQL are Kysely's
  return (transaction as Kysely<unknown> | undefined) ?? connection.getClient();
}

function fragmentOf(query: Query, values: Values): { sql: string; params: readonly unknown[] } {
  if (query instanceof NativeQueryBuilder) return query.toRaw();
  if (isRaw(query)) return query;
  return isList(values) ? { sql: query, params: values } : raw(query, values);
}

function isList(values: Values): values is readonly unknown[] {
  return Array.isArray(values);
}

/** Separates what aborts a statement, which the ORM passes with the context of the log. */
function splitOptions(options: LoggingOptions | undefined): {
  abort: AbortableQueryOptions | undefined;
  context: LogContext;
} {
  const { signal, inflightQueryAbortStrategy, ...context }: LogContext & AbortableQueryOptions = {
    ...options,
  };
  if (signal === undefined && inflightQueryAbortStrategy === undefined) return { abort: undefined, context };
  return {
    abort: {
      ...(signal && { signal }),
      ...(inflightQueryAbortStrategy && { inflightQueryAbortStrategy }),
    },
    context,
  };
}
