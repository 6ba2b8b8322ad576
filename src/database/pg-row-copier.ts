import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { MikroORM } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';
import { rowCopierName, type CopiedType, type RowCopier } from '../repositories/row-copier.ts';
import { binaryRows } from './binary-rows.ts';
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
      await send(em, `copy "${table}" (${names.join(', ')}) from stdin (format binary)`, chunks);
    } catch (error) {
      if (sqlStateOf(error) !== '23505') throw error;
      await em.execute('rollback to savepoint copied_rows');
      return false;
    }
    await em.execute('release savepoint copied_rows');
    return true;
  }
}

async function send(em: EntityManager, statement: string, chunks: Iterable<Buffer>): Promise<void> {
  const copy = copyFrom(statement);
  let refused = false;
  copy.once('error', () => {
    refused = true;
    // Chunks that wait in it would be written to a connection that it has let go of by then.
    copy.destroy();
  });
  const end = finished(copy);
  // Awaited below; until then, its failure is nobody's yet.
  end.catch(() => {});
  await start(em, copy);
  try {
    for (const chunk of chunks) if (!copy.write(chunk)) await once(copy, 'drain');
    copy.end();
  } catch (error) {
    // No row could be had, and PostgreSQL still waits for it.
    if (!refused) copy.destroy(new Error('the rows ended early'));
    await end.catch(() => {});
    throw error;
  }
  await end;
}

/** Puts the COPY behind what this unit of work's connection still has to do. */
async function start(em: EntityManager, copy: CopyStreamQuery): Promise<void> {
  const connection = em.getKysely();
  await connection.executeQuery({
    ...connection.selectNoFrom((eb) => eb.lit(1).as('one')).compile(),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- handed to the driver as it is, which takes such a query as well as a text
    sql: copy as unknown as string,
    parameters: [],
  });
}
