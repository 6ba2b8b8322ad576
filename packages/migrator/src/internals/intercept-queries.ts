/** The driver's answer to a query. Own types, so that the package's do not need those of the driver. */
interface QueryResult {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly rowCount: number | null;
  readonly command: string;
}

/** A pool of the driver, which emits each new client. */
interface ConnectingPool {
  on(event: 'connect', listener: (client: { query: unknown }) => void): unknown;
}

/** Sends a query on a connection. */
export type Send = (text: string, values?: readonly unknown[]) => Promise<QueryResult>;

/** Sends a query in place of the connection, by `send`. */
export type Interceptor = (send: Send, text: string, values: readonly unknown[]) => Promise<QueryResult>;

/**
 * Lets an interceptor send the queries of a pool's connections, one interceptor for each connection. Replaces the method
 * `query` of each client, which the ORM's query builder calls with a text and values. Other forms, such as cursors, are not intercepted.
 */
export function interceptQueries(pool: ConnectingPool, interceptorOf: () => Interceptor): void {
  pool.on('connect', (client) => {
    if (typeof client.query !== 'function') throw new TypeError('the driver has no method `query`');
    const query: (...given: unknown[]) => unknown = client.query.bind(client);
    const intercept = interceptorOf();
    const send: Send = async (text, values = []) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the driver's answer to a text and values
      return (await query(text, [...values])) as QueryResult;
    };
    Object.assign(client, {
      query: (text: unknown, values: unknown = [], ...others: unknown[]) =>
        typeof text === 'string' && Array.isArray(values) && others.length === 0
          ? intercept(send, text, values)
          : query(text, values, ...others),
    });
  });
}
