import { Client } from 'pg';
import type { TestDatabase } from './kit/database.ts';

/** What a writer of `books` expects of a row that it wrote. */
interface Written {
  readonly value: string | null;
  readonly version: number;
}

/**
 * Code of a release, which knows one of two columns of `books (id, …, pages, row_version)`: it inserts and updates rows in a loop, and reads
 * each one back.
 */
export class ColumnWriter {
  readonly failures: string[] = [];
  readonly written = new Map<number, Written>();
  readonly #client: Client;
  readonly #column: string;
  readonly #ids: { next: number; readonly foreign: readonly number[] };
  #running: Promise<void> | null = null;
  #isStopped = false;
  #turn = 0;

  private constructor(
    client: Client,
    column: string,
    ids: { next: number; readonly foreign: readonly number[] },
  ) {
    this.#client = client;
    this.#column = column;
    this.#ids = ids;
  }

  /** Connects; new rows are numbered from `first`, and the rows `foreign`, which were there before, belong to this writer. */
  static async of(
    { url }: TestDatabase,
    column: string,
    { first, foreign = [] }: { readonly first: number; readonly foreign?: readonly number[] },
  ): Promise<ColumnWriter> {
    const client = new Client({ connectionString: url, application_name: 'test' });
    client.on('error', () => {});
    await client.connect();
    return new ColumnWriter(client, column, { next: first, foreign });
  }

  start(): void {
    this.#isStopped = false;
    this.#running = this.#loop();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    this.#running = null;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.#client.end();
  }

  async #loop(): Promise<void> {
    while (!this.#isStopped && this.failures.length < 5) {
      try {
        await this.#write(this.#turn++);
      } catch (error) {
        this.failures.push(String(error));
      }
    }
  }

  async #write(turn: number): Promise<void> {
    const c = this.#column;
    const { foreign } = this.#ids;
    const known = [...this.written.keys()];
    const mine = known[(turn * 7919) % Math.max(known.length, 1)];
    const value = `${c} ${turn}`;
    const update = async (id: number, set: string, next: string | null): Promise<void> => {
      const before = this.written.get(id);
      const { rows } = await this.#client.query<{ version: number }>(
        `update books set ${set} where id = $1 returning row_version as version`,
        [id],
      );
      const version = rows[0]?.version ?? 0;
      const isChanged = before === undefined || before.value !== next || set.includes('pages');
      if (before && version !== before.version + (isChanged ? 1 : 0))
        this.failures.push(`row ${id}: version ${version} after ${before.version} by ${set}`);
      this.written.set(id, { value: next, version });
      await this.#expect(id);
    };
    const kind = turn % 8;
    if (kind < 2 || mine === undefined) {
      const id = this.#ids.next++;
      await this.#client.query(`insert into books (id, ${c}) values ($1, $2)`, [
        id,
        kind === 0 ? value : null,
      ]);
      this.written.set(id, { value: kind === 0 ? value : null, version: 1 });
      return this.#expect(id);
    }
    if (kind === 2) {
      const id = this.#ids.next++;
      await this.#client.query('insert into books (id) values ($1)', [id]);
      this.written.set(id, { value: 'none', version: 1 });
      return this.#expect(id);
    }
    if (kind === 3) {
      const id = foreign[turn % Math.max(foreign.length, 1)];
      if (id !== undefined)
        return update(
          id,
          `${c} = ${turn % 16 === 3 ? 'null' : `'${value}'`}`,
          turn % 16 === 3 ? null : value,
        );
    }
    if (kind === 4)
      return update(mine, 'pages = coalesce(pages, 0) + 1', this.written.get(mine)?.value ?? null);
    if (kind === 5) return update(mine, `${c} = null`, null);
    if (kind === 6) {
      const { rows } = await this.#client.query<{ version: number }>(
        `insert into books (id, ${c}) values ($1, $2) on conflict (id) do update set ${c} = excluded.${c} returning row_version as version`,
        [mine, value],
      );
      this.written.set(mine, { value, version: rows[0]?.version ?? 0 });
      return this.#expect(mine);
    }
    return update(mine, `${c} = '${value}'`, value);
  }

  async #expect(id: number): Promise<void> {
    const { rows } = await this.#client.query<{ value: string | null }>(
      `select ${this.#column} as value from books where id = $1`,
      [id],
    );
    const expected = this.written.get(id)?.value ?? null;
    if (rows.length !== 1 || rows[0]?.value !== expected)
      this.failures.push(`row ${id}: ${rows[0]?.value}, expected ${expected}`);
  }
}
