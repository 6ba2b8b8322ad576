import type { DatabaseConnection, Driver } from 'kysely';

type Translate = (error: unknown) => unknown;

/** Makes the connections of a Kysely driver throw what `translate` returns for an error. It replaces their methods. */
export function translateDriverErrors(driver: Driver, translate: Translate): Driver {
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
