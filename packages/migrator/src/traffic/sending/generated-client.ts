import type { Client } from 'pg';
import { ormDriver } from '../../internals/orm-driver.ts';
import { findSqlState, isLostConnection } from '../../session/find-sql-state.ts';
import type { ConnectionSettings, PlannedRequest, RequestStatement } from './planned-request.ts';

const driver = ormDriver();

/** A statement that failed. Its cause is the driver's error. */
export class RequestStatementError extends Error {
  readonly statement: RequestStatement | null;

  constructor(statement: RequestStatement | null, cause: unknown) {
    super('a statement failed', { cause });
    this.statement = statement;
  }
}

/** A request as it was tried: what was sent, and how many rows each statement concerned. */
export interface TriedRequest {
  readonly statements: readonly RequestStatement[];
  readonly rows: readonly number[];
}

type AwaitAnswer = <T>(answer: Promise<T>) => Promise<T>;

/** A connection that prepares each statement once, as the pool of a service does. */
export class GeneratedClient {
  readonly #settings: ConnectionSettings;
  readonly #awaitAnswer: AwaitAnswer;
  #client: Client | null = null;
  readonly #names = new Map<string, string>();
  // Part of each name: the server keeps a statement that can't be used any more.
  #generation = 0;

  /** @param awaitAnswer measures how long the answer to a statement takes. */
  constructor(settings: ConnectionSettings, awaitAnswer: AwaitAnswer) {
    this.#settings = settings;
    this.#awaitAnswer = awaitAnswer;
  }

  async connect(): Promise<void> {
    const client = new driver.Client({ ...this.#settings });
    // The next statement fails then.
    client.on('error', () => {});
    await client.connect();
    this.#client = client;
  }

  async close(): Promise<void> {
    const client = this.#client;
    this.#client = null;
    await client?.end().catch(() => {});
  }

  /** Sends the alternatives in turn, and returns the first one that succeeds. @throws RequestStatementError of the first one that fails. */
  async try({ alternatives }: PlannedRequest): Promise<TriedRequest> {
    let failure: unknown = new RequestStatementError(null, new Error('no row could be made'));
    for (const [index, statements] of alternatives.entries()) {
      try {
        return { statements, rows: await this.#send(statements) };
      } catch (error) {
        if (index === 0) failure = error;
      }
    }
    throw failure;
  }

  /** @throws RequestStatementError when a statement fails, or concerns another number of rows than when it was tried. */
  async send({ statements, rows }: TriedRequest): Promise<void> {
    await this.#send(statements, rows);
  }

  /** Prepares all statements again under other names. */
  forgetStatements(): void {
    this.#generation++;
    this.#names.clear();
  }

  async #send(statements: readonly RequestStatement[], expected?: readonly number[]): Promise<number[]> {
    if (!this.#client) await this.connect();
    let at: RequestStatement | null = null;
    const isTransaction = statements.length > 1;
    const counts: number[] = [];
    let key: readonly (string | null)[] = [];
    try {
      if (isTransaction) await this.#query('begin');
      for (const statement of statements) {
        at = statement;
        const values = statement.usesKey ? [...statement.values, ...key] : statement.values;
        const { rows, count } = await this.#query(statement.text, values);
        if (statement.returnsKey) key = rows[0] ?? key;
        const known = expected?.[counts.length];
        const isOfOneRow = statement.usesKey || statement.returnsKey;
        if (isOfOneRow && known !== undefined && known !== count)
          throw new Error(`it concerns ${count} rows, and ${known} before`);
        counts.push(count);
      }
      at = null;
      if (isTransaction) await this.#query('commit');
      return counts;
    } catch (error) {
      if (isLostConnection(error) && findSqlState(error) !== '') await this.close();
      else if (isTransaction) await this.#query('rollback').catch(() => this.close());
      throw new RequestStatementError(at, error);
    }
  }

  async #query(
    text: string,
    values?: readonly (string | null)[],
  ): Promise<{ readonly rows: readonly (string | null)[][]; readonly count: number }> {
    if (!this.#client) throw new Error('the connection is closed');
    const { rows, rowCount } = await this.#awaitAnswer(
      this.#client.query<(string | null)[]>({
        text,
        rowMode: 'array',
        // Begin and commit are not worth it.
        ...(values && { name: this.#nameOf(text), values: [...values] }),
      }),
    );
    return { rows, count: rowCount ?? 0 };
  }

  #nameOf(text: string): string {
    const name = this.#names.get(text) ?? `traffic_${this.#generation}_${this.#names.size}`;
    this.#names.set(text, name);
    return name;
  }
}
