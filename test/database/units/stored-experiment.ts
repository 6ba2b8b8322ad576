import type { TestDatabase } from '../../../src/testing/index.ts';

/** Returns the stored row of an experiment. */
export async function storedExperiment(
  db: TestDatabase,
  id: string,
): Promise<Record<string, unknown> | undefined> {
  const [row] = await db.orm.em.fork().execute('select * from experiments where id = ?', [id]);
  return row;
}
