import { Client, type ClientConfig, type PoolClient } from 'pg';

/**
 * The driver's client, for a pool that gets its connection back from every transaction. The ORM's query builder gives one back only
 * when `commit` or `rollback` succeeded, and never when `begin` failed: each server process that dies in a transaction would take a
 * slot of the pool along, for ever.
 */
export class TxClient extends Client {
  // Set by the pool whenever it lends this client.
  declare release?: PoolClient['release'];

  constructor(config?: string | ClientConfig) {
    super(config);
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    this.query = new Proxy(this.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const answer = awaited((...all) => Reflect.apply(query, this, all), given);
        const [text] = given;
        if (typeof text !== 'string' || !(answer instanceof Promise)) return answer;
        if (text === 'rollback') return answer.catch(() => this.#endInstead());
        if (text === 'begin' || text.startsWith('start transaction'))
          return answer.catch((error: unknown) => this.#giveBack(error));
        return answer;
      },
    });
  }

  // The server takes back what it did for a connection that ends, and the pool drops a client that does.
  #endInstead(): object {
    void this.end().catch(() => {});
    return { command: 'ROLLBACK', rowCount: 0, rows: [] };
  }

  #giveBack(error: unknown): never {
    this.release?.(true);
    // Whoever borrowed it may give it back as well.
    this.release = () => {};
    throw error;
  }
}

/**
 * What the driver answers, had by a callback where a promise is wanted. Rows that the driver's own promise brings outlive V8's minor
 * collections (pg 8.23, Node 24: see `--trace-gc`), and to move them about takes a quarter of the time in which many are read.
 */
function awaited(query: (...given: unknown[]) => unknown, given: unknown[]): unknown {
  const [text, values] = given;
  if (typeof text !== 'string' || typeof given.at(-1) === 'function') return query(...given);
  return new Promise((resolve, reject) => {
    query(text, values, (error: Error | null, result: unknown) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
