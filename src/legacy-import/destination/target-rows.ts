import { isNativeError } from 'node:util/types';
import type { EntityManager } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { copyIn } from '../../postgres/copy/copy-in.ts';
import type { Database } from '../../database/database.ts';
import { sqlStateOf, toDataError } from '../../postgres/errors/translate-error.ts';
import type { ConvertedRow } from '../conversion/row-converter.ts';
import { buildDigestQuery, digestText } from '../conversion/row-digest.ts';
import { escapeIdentifier } from 'pg';
import { encodeCopyText } from './encode-copy-text.ts';
import type { TargetTable } from './target-table.ts';

/** What happened to the rows of a batch. */
export interface StoreResult {
  readonly written: readonly ConvertedRow[];
  /** Rows that the target had already, equal in all columns. */
  readonly found: readonly ConvertedRow[];
  /** Rows that PostgreSQL refused, each with the reason. */
  readonly refused: readonly (readonly [row: ConvertedRow, reason: string])[];
}

interface Compared {
  readonly found: readonly ConvertedRow[];
  readonly others: readonly ConvertedRow[];
}

interface StoreCounts {
  readonly written: ConvertedRow[];
  readonly found: ConvertedRow[];
  readonly refused: [row: ConvertedRow, reason: string][];
}

/** The number of rows of a table, and their digest. */
export interface Total {
  readonly count: number;
  readonly digest: string;
}

/** The rows of one table of the target. */
export class TargetRows {
  readonly #database: Database;
  readonly #table: TargetTable;
  readonly #copy: string;

  constructor(database: Database, table: TargetTable) {
    this.#database = database;
    this.#table = table;
    const columns = table.columns.map(({ name }) => escapeIdentifier(name));
    this.#copy = `copy ${escapeIdentifier(table.name)} (${columns.join(', ')}) from stdin`;
  }

  async count(): Promise<number> {
    const [row] = await this.#read<{ count: string }>(
      `select count(*)::text as count from ${escapeIdentifier(this.#table.name)}`,
    );
    return Number(row?.count);
  }

  /** Returns the count and the digest of all rows, computed by PostgreSQL. */
  async total(): Promise<Total> {
    const [row] = await this.#read<{ count: string; first: string; second: string }>(
      `select count(*)::text as count, ${halfOfDigest(1)} as first, ${halfOfDigest(17)} as second from (${buildDigestQuery(this.#table)}) rows`,
    );
    return {
      count: Number(row?.count),
      digest: digestText(BigInt(row?.first ?? 0), BigInt(row?.second ?? 0)),
    };
  }

  /** Splits rows into those that the target has, equal in all columns, and the others. */
  compare(rows: readonly ConvertedRow[]): Promise<Compared> {
    return this.#compare(this.#database.orm.em.fork(), rows);
  }

  /**
   * Writes a batch in one transaction, without the rows that PostgreSQL refuses.
   *
   * @throws DataError for an error that no row causes; the whole batch is rolled back then.
   */
  store(rows: readonly ConvertedRow[], { mayExist }: { mayExist: boolean }): Promise<StoreResult> {
    return this.#database.transact(
      async ({ em }) => {
        const { found, others } = mayExist ? await this.#compare(em, rows) : { found: [], others: rows };
        const stored: StoreCounts = { written: [], found: [...found], refused: [] };
        await this.#append(em, others, stored);
        return stored;
      },
      { retries: 3 },
    );
  }

  /** Runs a query over the whole table without a statement timeout. */
  #read<Row extends object>(text: string): Promise<Row[]> {
    return this.#database.transact(({ em }) => query<Row>(em, text), { timeouts: { statement: 0 } });
  }

  async #compare(em: EntityManager, rows: readonly ConvertedRow[]): Promise<Compared> {
    const { key } = this.#table;
    const lists = key.map((_, index) => `$${index + 1}::text[]`);
    const existing = await query<Record<string, string>>(
      em,
      buildDigestQuery(
        this.#table,
        `where (${key.map(escapeIdentifier).join(', ')}) in (select * from unnest(${lists.join(', ')}))`,
      ),
      key.map((_, index) => rows.map((row) => row.key[index])),
    );
    const digests = new Map(existing.map((row) => [key.map((column) => row[column]).join('\0'), row.digest]));
    const { found = [], others = [] } = Object.groupBy(rows, (row) =>
      digests.get(row.key.join('\0')) === row.digest ? 'found' : 'others',
    );
    return { found, others };
  }

  async #append(em: EntityManager, rows: readonly ConvertedRow[], stored: StoreCounts): Promise<void> {
    if (rows.length === 0) return;
    await em.execute('savepoint imported_rows');
    try {
      await copyIn(em, this.#copy, encodeCopyText(rows.map(({ fields }) => fields)));
      await em.execute('release savepoint imported_rows');
      stored.written.push(...rows);
    } catch (error) {
      const state = sqlStateOf(error);
      if (!isRowFault(state)) throw error;
      await em.execute('rollback to savepoint imported_rows');
      await em.execute('release savepoint imported_rows');
      const [first, ...others] = rows;
      if (first && others.length === 0) return this.#refuse(em, first, error, stored);
      // Bisects until the refused rows are isolated.
      const middle = Math.ceil(rows.length / 2);
      await this.#append(em, rows.slice(0, middle), stored);
      await this.#append(em, rows.slice(middle), stored);
    }
  }

  async #refuse(em: EntityManager, row: ConvertedRow, error: unknown, stored: StoreCounts): Promise<void> {
    const { found } = await this.#compare(em, [row]);
    if (found.length > 0) {
      stored.found.push(row);
      return;
    }
    const refusal = toDataError(error);
    stored.refused.push([row, `PostgreSQL: ${isNativeError(refusal) ? refusal.message : String(refusal)}`]);
  }
}

/** Whether a SQLSTATE is caused by a row: by its values (22), a constraint (23), a limit (54) or a trigger (P0001). */
function isRowFault(state: string): boolean {
  return /^(?:22|23|54)/.test(state) || state === 'P0001';
}

/** Returns the SQL of the sum of one half of the digests, each a 64-bit number. */
function halfOfDigest(from: number): string {
  return `coalesce(sum(('x' || substr(digest, ${from}, 16))::bit(64)::bigint), 0)::text`;
}

async function query<Row extends object>(
  em: EntityManager,
  text: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  try {
    return (await em.getKysely().executeQuery<Row>(CompiledQuery.raw(text, [...values]))).rows;
  } catch (error) {
    throw toDataError(error);
  }
}
