import { Client } from 'pg';

/** Another session's transaction on a database, which holds locks that the code under test waits for. */
export class OutsideSession implements AsyncDisposable {
  readonly #transaction: Client;
  readonly #observer: Client;
  #isOpen = true;

  private constructor(transaction: Client, observer: Client) {
    this.#transaction = transaction;
    this.#observer = observer;
  }

  /** Begins the transaction and acquires a lock by `statement`. */
  static async holding({ url }: { readonly url: string }, statement: string): Promise<OutsideSession> {
    const [transaction, observer] = [await connected(url), await connected(url)];
    await transaction.query('begin');
    await transaction.query(statement);
    return new OutsideSession(transaction, observer);
  }

  /** Waits until `count` sessions wait for a lock, each with a statement that matches `pattern`, and returns their process ids. */
  async waiting(count: number, pattern = ''): Promise<number[]> {
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline) {
      const { rows } = await this.#observer.query<{ pid: number }>(
        `select pid from pg_stat_activity
         where datname = current_database() and wait_event_type = 'Lock' and query ~ $1`,
        [pattern],
      );
      if (rows.length === count) return rows.map(({ pid }) => pid);
    }
    throw new Error(`${count} sessions should wait for a lock, and do not`);
  }

  /** Sends another statement in the transaction. */
  async execute(statement: string): Promise<void> {
    await this.#transaction.query(statement);
  }

  /** Cancels the statement of another session. */
  async cancel(pid: number): Promise<void> {
    await this.#observer.query('select pg_cancel_backend($1)', [pid]);
  }

  /** Rolls back, which releases the locks. */
  async release(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#transaction.query('rollback');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
    await Promise.all([this.#transaction.end(), this.#observer.end()]);
  }
}

async function connected(url: string): Promise<Client> {
  const client = new Client({ connectionString: url, application_name: 'test' });
  // The database may be dropped first.
  client.on('error', () => {});
  await client.connect();
  return client;
}
