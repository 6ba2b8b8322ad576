import type { MikroORM } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { DataError } from '../errors.ts';
import { rowCopierName, type CopiedType, type RowCopier } from '../repositories/row-copier.ts';
import { binaryRows } from './binary-rows.ts';
import { copyIn } from './copy-in.ts';
import { sqlStateOf } from './translate-error.ts';

/** COPY on the connection of the unit of work. An extension of the ORM, where repositories find it. */
export class PgRowCopier implements RowCopier {
  static register(orm: MikroORM): void {
    orm.config.registerExtension(rowCopierName, () => new PgRowCopier());
  }

  async copy(
    em: EntityManager,
    table: string,
    columns: Readonly<Record<string, CopiedType>>,
    rows: Iterable<Readonly<Record<string, unknown>>>,
  ): Promise<boolean> {
    const names = Object.keys(columns).map((column) => `"${column}"`);
    const chunks = binaryRows(table, columns, rows);
    // Taken back to, should a key be taken. Fails outside a transaction, where nothing may be written.
    await em.execute('savepoint copied_rows');
    try {
      await copyIn(em, `copy "${table}" (${names.join(', ')}) from stdin (format binary)`, chunks);
    } catch (error) {
      const isTaken = sqlStateOf(error) === '23505';
      // A value that we refuse leaves the transaction as it was, as it does in any other statement.
      if (isTaken || error instanceof DataError) await em.execute('rollback to savepoint copied_rows');
      if (!isTaken) throw error;
      return false;
    }
    await em.execute('release savepoint copied_rows');
    return true;
  }
}
