import { PostgreSqlConnection } from '@mikro-orm/postgresql';
import type { DatabaseConnection, Driver, PostgresDialect } from 'kysely';
import type { PoolConfig } from 'pg';
import { Connections } from '../../client/connections.ts';

type Translate = (error: unknown) => unknown;

/**
 * The ORM's connection, which throws `DataError`s where the ORM belongs to a `Database`. Each statement, whoever sends it (a repository,
 * the entity manager, a query builder, Kysely, a stream), goes through a Kysely connection, so that they are translated here and once.
 */
export class DataErrorConnection extends PostgreSqlConnection {
  override createKyselyDialect(overrides: PoolConfig): PostgresDialect {
    const dialect = super.createKyselyDialect(overrides);
    const createDriver = dialect.createDriver.bind(dialect);
    dialect.createDriver = () =>
      translated(createDriver(), (error) => Connections.in(this.config)?.toThrow(error) ?? error);
    return dialect;
  }
}

function translated(driver: Driver, translate: Translate): Driver {
  const acquireConnection = driver.acquireConnection.bind(driver);
  const known = new WeakSet<DatabaseConnection>();
  driver.acquireConnection = async (options) => {
    try {
      const connection = await acquireConnection(options);
      if (!known.has(connection)) translateErrorsOf(connection, translate);
      known.add(connection);
      return connection;
    } catch (error) {
      throw translate(error);
    }
  };
  return driver;
}

function translateErrorsOf(connection: DatabaseConnection, translate: Translate): void {
  const executeQuery = connection.executeQuery.bind(connection);
  const streamQuery = connection.streamQuery.bind(connection);
  connection.executeQuery = async (...given) => {
    try {
      return await executeQuery<never>(...given);
    } catch (error) {
      throw translate(error);
    }
  };
  connection.streamQuery = async function* (...given) {
    try {
      yield* streamQuery<never>(...given);
    } catch (error) {
      throw translate(error);
    }
  };
}
