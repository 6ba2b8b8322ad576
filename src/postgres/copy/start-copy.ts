import type { EntityManager } from '@mikro-orm/postgresql';
import type { CopyStreamQuery, CopyToStreamQuery } from 'pg-copy-streams';

/** Sends the COPY after the statements that are queued on the unit of work's connection. */
export async function startCopy(em: EntityManager, copy: CopyStreamQuery | CopyToStreamQuery): Promise<void> {
  const connection = em.getKysely();
  await connection.executeQuery({
    ...connection.selectNoFrom((eb) => eb.lit(1).as('one')).compile(),
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- passed to the driver unchanged, which takes such a query as well as a text
    sql: copy as unknown as string,
    parameters: [],
  });
}
