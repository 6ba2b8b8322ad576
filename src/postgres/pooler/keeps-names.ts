import { randomUUID } from 'node:crypto';
import type { ClientBase, Connection } from 'pg';

const text = 'select name from pg_prepared_statements where statement = $1';

/**
 * Returns whether a pooler keeps prepared statements for its clients: then the server has them by names of the pooler. Otherwise the server
 * has them by the client's names, and only the connection on which they were prepared finds them.
 */
export function keepsNames(client: ClientBase): Promise<boolean> {
  return new Promise((resolve, reject) => {
    client.query(new NameProbe(resolve, reject));
  });
}

/**
 * A prepared statement that reads its name on the server. It is closed in the same message as it is prepared, which a pooler sends to one
 * server connection, so that nothing stays.
 */
class NameProbe {
  readonly #name = `synth_lab_probe_${randomUUID()}`;
  readonly #found: string[] = [];
  readonly #resolve: (isKept: boolean) => void;
  readonly #reject: (error: Error) => void;

  constructor(resolve: (isKept: boolean) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: Connection): void {
    connection.parse({ name: this.#name, text, types: [] }, true);
    connection.bind({ statement: this.#name, values: [text] }, true);
    connection.execute({}, true);
    connection.close({ type: 'S', name: this.#name }, true);
    connection.sync();
  }

  handleDataRow({ fields: [name] }: { readonly fields: readonly unknown[] }): void {
    this.#found.push(String(name));
  }

  handleCommandComplete(): void {}

  handleError(error: Error): void {
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#found.length > 0 && this.#found.every((name) => name !== this.#name));
  }
}
