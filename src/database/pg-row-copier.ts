import type { MikroORM } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
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
    const chunks = binaryRows(columns, rows);
    // Taken back to, should a key be taken. Fails outside a transaction, where nothing may be written.
    await em.execute('savepoint copied_rows');
    try {
      await copyIn(em, `copy "${table}" (${names.join(', ')}) from stdin (format binary)`, chunks);
    } catch (error) {
      if (sqlStateOf(error) !== '23505') throw error;
      await em.execute('rollback to savepoint copied_rows');
      return false;
    }
    await em.execute('release savepoint copied_rows');
    return true;
  }
}
