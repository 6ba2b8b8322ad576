import { Client, type ClientConfig } from 'pg';
import { useOptionalTls } from './optional-tls.ts';

type Query = (...given: unknown[]) => unknown;

/**
 * The driver's client, made for transactions.
 *
 * - The pool gets its connection back from each. The ORM's query builder gives one back only when `commit` or `rollback` succeeded,
 *   and never when `begin` failed: each server process that dies in a transaction would take a slot of the pool along, for ever.
 * - Nobody waits for the answer to `begin`: the first statement waits for it, and what goes before it is done meanwhile. No
 *   statement is sent when `begin` failed; all up to the `rollback` fail as it did.
 */
export class TxClient extends Client {
  #begun: Promise<unknown> | undefined;

  constructor(config?: string | ClientConfig) {
    super(config);
    useOptionalTls(this, config);
    // oxlint-disable-next-line typescript/unbound-method -- `apply` calls it on this client
    this.query = new Proxy(this.query, {
      apply: (query, _client, given: unknown[]): unknown => {
        const send: Query = (...all) => Reflect.apply(query, this, all);
        const [text] = given;
        if (typeof text !== 'string' || typeof given.at(-1) === 'function') return send(...given);
        if (/^(?:begin|start transaction)\b/.test(text)) return this.#begin(send, given);
        if (text === 'rollback') return this.#rollback(send, given);
        return this.#begun ? this.#begun.then(() => answered(send, given)) : answered(send, given);
      },
    });
  }

  #begin(send: Query, given: unknown[]): Promise<object> {
    const begun = answered(send, given);
    this.#begun = begun;
    begun.then(
      () => (this.#begun = undefined),
      // Told by the statements that wait for it.
      () => {},
    );
    return Promise.resolve({ command: 'BEGIN', rowCount: null, rows: [] });
  }

  async #rollback(send: Query, given: unknown[]): Promise<unknown> {
    try {
      await this.#begun;
      return await answered(send, given);
    } catch {
      // The server takes back what it did for a connection that ends, and the pool drops a client that does.
      void this.end().catch(() => {});
      return { command: 'ROLLBACK', rowCount: 0, rows: [] };
    }
  }
}

/**
 * What the driver answers, had by a callback where a promise is wanted. Rows that the driver's own promise brings outlive V8's minor
 * collections (pg 8.23, Node 24: see `--trace-gc`), and to move them about takes a quarter of the time in which many are read.
 */
function answered(send: Query, [text, values]: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    send(text, values, (error: Error | null, result: unknown) => {
      if (error) reject(error);
      else resolve(result);
    });
  });
}
