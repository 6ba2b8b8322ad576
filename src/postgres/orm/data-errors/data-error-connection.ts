import type { NativeInsertUpdateOptions, QueryResult } from '@mikro-orm/core';
import type { CompiledQuery, PostgresDialect } from 'kysely';
import type { PoolConfig } from 'pg';
import { Connections } from '../../client/connections.ts';
import { ParameterConnection } from '../parameters/parameter-connection.ts';
import { translateDriverErrors } from '../../patches/orm/translate-driver-errors.ts';

/**
 * The ORM's connection, which throws `DataError`s where the ORM belongs to a `Database`. All statements (of repositories, the entity
 * manager, query builders, Kysely and streams) go through a Kysely connection, so that errors are translated here, and once.
 */
export class DataErrorConnection extends ParameterConnection {
  override createKyselyDialect(overrides: PoolConfig): PostgresDialect {
    const dialect = super.createKyselyDialect(overrides);
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () =>
      translateDriverErrors(
        createDriver(),
        (error) => Connections.in(this.config)?.translate(error) ?? error,
      );
    return dialect;
  }

  /** Sends a statement that writes rows, with its values as parameters, and logs it as the ORM does its own. */
  async write<T>(
    query: CompiledQuery,
    { ctx, loggerContext }: Pick<NativeInsertUpdateOptions<T>, 'ctx' | 'loggerContext'>,
  ): Promise<QueryResult<T>> {
    await this.ensureConnection();
    const send = async (): Promise<QueryResult<T>> =>
      this.transformRawResult(await (ctx ?? this.getClient()).executeQuery(query), 'run');
    return this.executeQuery(query.sql, send, { ...loggerContext, params: [...query.parameters] });
  }
}
