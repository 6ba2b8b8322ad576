import type { MikroORM } from '@mikro-orm/postgresql';
import { describeDifference, Migrator } from 'mikro-orm-safe-migrations';
import { onTestFinished } from 'vitest';
import { driftProject } from './drift-project.ts';
import { emptyDatabase } from './kit/database.ts';

/** Returns the ORM of the drift project on a database, closed after the test. */
export function project(db: { url: string }, names?: readonly string[]): MikroORM {
  const orm = driftProject(db.url, names);
  onTestFinished(() => orm.close(true));
  return orm;
}

/** Returns the differences between the database and the migrations, one line each; undefined when nothing was compared. */
export async function described(orm: MikroORM): Promise<string[] | undefined> {
  return (await new Migrator(orm).check()).database?.map(describeDifference);
}

/** A role that outlives the databases of a test that begins with it. */
export async function role(options = ''): Promise<string> {
  const keeper = await emptyDatabase();
  const name = `${keeper.target.parts.database}_role`;
  await keeper.orm.em.execute(`create role "${name}" ${options}`);
  onTestFinished(async () => void (await keeper.orm.em.execute(`drop role "${name}"`)));
  return name;
}
