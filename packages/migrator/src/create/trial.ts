import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { differences } from '../catalog/differences.ts';
import { readCatalog } from '../catalog/catalog.ts';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { inTransaction } from '../session/session.ts';
import { compare, describedSchema, readSchema, toStatements } from './difference.ts';

/** Problems of a created migration, by direction. */
export interface TrialReport {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** Runs both directions on the ORM's database, which has the schema of the migrations and no rows, and compares the results. */
export async function runTrial(
  orm: MikroORM,
  { schema, ignored }: { readonly schema: string; readonly ignored: IgnoredObjects },
  up: readonly string[],
  down: readonly string[],
): Promise<TrialReport> {
  const catalog = () => readCatalog(orm, schema);
  const before = await catalog();
  const upFailure = await failureOf(orm, up);
  if (upFailure !== null) return { up: [upFailure], down: [] };
  const remaining = await toStatements(
    orm,
    compare(orm, await readSchema(orm, ignored), describedSchema(orm, ignored)),
  );
  const report =
    remaining.length === 0
      ? []
      : [
          `the ORM still finds a difference afterwards, "${remaining.join('; ')}": write the expression in the entity as PostgreSQL prints it`,
        ];
  const downFailure = await failureOf(orm, down);
  if (downFailure !== null) return { up: report, down: [downFailure] };
  const different = differences(before, await catalog()).map((one) =>
    [one.object, one.part, one.fact].filter((name) => name !== null).join(', '),
  );
  return {
    up: report,
    down: different.map((what) => `does not restore ${what}`),
  };
}

async function failureOf(orm: MikroORM, statements: readonly string[]): Promise<string | null> {
  let at = '';
  try {
    await inTransaction(orm, async (session) => {
      for (const sql of statements) {
        at = sql;
        await session.query(sql);
      }
    });
    return null;
  } catch (error) {
    // The scratch database has no rows, so the message contains none.
    return `fails even without rows, at "${at}": ${isNativeError(error) ? error.message : String(error)}`;
  }
}
