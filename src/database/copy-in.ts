import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { EntityManager } from '@mikro-orm/postgresql';
import { from as copyFrom, type CopyStreamQuery } from 'pg-copy-streams';

/** Sends `chunks` to a `copy … from stdin`, on the connection of the unit of work. */
export async function copyIn(em: EntityManager, statement: string, chunks: Iterable<Buffer>): Promise<void> {
  const copy = copyFrom(statement);
  let refused = false;
  copy.once('error', () => {
    refused = true;
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
