import type { TestDatabase } from '../../src/testing/index.ts';

/** Stores one experiment, of the columns that the first migration makes. */
export async function addExperiment({ orm }: Pick<TestDatabase, 'orm'>): Promise<void> {
  await orm.em.execute(
    `insert into experiments (id, name, hypothesis, status) values ('exp_' || gen_random_uuid(), 'one', 'is it?', 'active')`,
  );
}
