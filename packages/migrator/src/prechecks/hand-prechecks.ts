import { countingQuery } from '../files/checks.ts';
import { namesInTree } from '../sql/names-in-tree.ts';
import { parseSql } from '../sql/parse-sql.ts';
import { reasonOf } from './count.ts';
import { UnknownError, type Precheck } from './rows/precheck.ts';
import { findRelation } from './rows/relation.ts';
import { requireStable, type Context } from './rows/rows-for.ts';
import { inSavepoint } from './rows/savepoint.ts';

/** Counts the rows of the queries that a migration declares as its `prechecks`. They are run again when it begins. */
export async function handPrechecks(
  context: Context,
  migration: string,
  checks: readonly string[],
): Promise<Precheck[]> {
  const found: Precheck[] = [];
  for (const check of checks) {
    const base = {
      migration,
      statement: null,
      kind: 'by hand',
      table: null,
      subject: check.trim(),
      of: null,
      isLowerBound: false,
    } as const;
    try {
      await requireUnchanged(context, check);
      const sql = await countingQuery(check);
      const [row] = await inSavepoint(context.session, () => context.session.query<{ found0: string }>(sql));
      const rows = Number(row?.found0);
      const outcome = rows > 0 ? 'refused' : 'passed';
      found.push({ ...base, outcome, rows, query: rows > 0 ? check.trim() : null, reason: null });
    } catch (error) {
      const reason = error instanceof UnknownError ? error.message : reasonOf(error, check);
      found.push({ ...base, outcome: 'unknown', rows: null, query: null, reason });
    }
  }
  return found;
}

/** @throws UnknownError when the query reads what an earlier statement changes, or runs volatile code. */
async function requireUnchanged({ session, changes }: Context, check: string): Promise<void> {
  if (changes.unknown !== null) throw new UnknownError(changes.unknown);
  const names = namesInTree(await parseSql(check));
  for (const name of names.tables) {
    const relation = await findRelation(session, name);
    changes.requireUnchanged([name.relname ?? '']);
    if (!relation) throw new UnknownError(`${name.relname} does not exist yet`);
    changes.requireAllRows(relation);
    if (changes.layersOf(relation.oid).length > 0)
      throw new UnknownError(`columns of ${relation.label} are changed before it`);
  }
  await requireStable(session, changes, [{ sql: check, names }]);
}
