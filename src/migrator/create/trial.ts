import type { MikroORM } from '@mikro-orm/postgresql';
import { inTransaction } from '../session.ts';
import { compare, describedSchema, readSchema, toStatements } from './difference.ts';

/** What a created migration did not do as it should, on a database that the migrations before it made. */
export interface TrialReport {
  readonly up: readonly string[];
  readonly down: readonly string[];
}

/** Runs both directions on the ORM's database, which has what the migrations make and no rows, and compares what they left. */
export async function tryOut(
  orm: MikroORM,
  up: readonly string[],
  down: readonly string[],
): Promise<TrialReport> {
  const before = await readSchema(orm);
  const upFailure = await failure(orm, up);
  if (upFailure !== null) return { up: [upFailure], down: [] };
  const left = toStatements(orm, compare(orm, await readSchema(orm), describedSchema(orm)));
  const report =
    left.length === 0
      ? []
      : [
          `the ORM still finds a difference afterwards, and will again (${left.join('; ')}): say it as PostgreSQL does`,
        ];
  const downFailure = await failure(orm, down);
  if (downFailure !== null) return { up: report, down: [downFailure] };
  const kept = toStatements(orm, compare(orm, await readSchema(orm), before));
  return { up: report, down: kept.length === 0 ? [] : [`leaves a difference (${kept.join('; ')})`] };
}

async function failure(orm: MikroORM, statements: readonly string[]): Promise<string | null> {
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
    // No row was there that it could speak of.
    return `fails even without rows, at ${at}: ${error instanceof Error ? error.message.split('\n').at(-1) : String(error)}`;
  }
}
