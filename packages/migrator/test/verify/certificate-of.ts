import type { Certificate } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn } from '../kit/database.ts';
import type { Migrations } from '../project.ts';

/** The statements that make the table of `certificateOf`. */
export const people = ['create table person (id int primary key, name text not null, note text)'];

/** Verifies the last migration of a chain that begins with a table. */
export async function certificateOf(
  last: Migrations[string],
  before: Migrations = { M1: { up: people } },
): Promise<Certificate> {
  const db = await emptyDatabase();
  const [certificate] = await migratorOn(db, { ...before, M9: last }).verify({ migrations: ['M9'] });
  if (!certificate) throw new Error('no certificate');
  return certificate;
}
