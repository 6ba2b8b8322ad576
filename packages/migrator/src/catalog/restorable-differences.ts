import type { MikroORM } from '@mikro-orm/postgresql';
import { tablesOf } from '../ledger/tables.ts';
import { differences, type Difference } from './differences.ts';
import { readCatalogIn, type Catalog } from './catalog.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { isLostConnection } from '../session/find-sql-state.ts';

/**
 * Returns the differences that a dump and restore would not cause. PostgreSQL prints some expressions differently after they were dumped
 * and restored, such as a list of `varchar` values: checks and indexes that differ are created again in the scratch database from their
 * own definitions, and those that are then equal are omitted. Leaves the scratch database unchanged.
 */
export async function restorableDifferences(
  scratch: MikroORM,
  schema: string,
  found: Catalog,
  differing: readonly Difference[],
): Promise<readonly Difference[]> {
  const rewritten = new Map(
    differing.flatMap((difference): [Difference, string][] => {
      const sql = rewriting(difference);
      return sql === null ? [] : [[difference, sql]];
    }),
  );
  if (rewritten.size === 0) return differing;
  return inTransaction(scratch, async (session) => {
    await session.query('savepoint before_rewrites; set local search_path to public');
    for (const sql of rewritten.values()) await tryStatement(session, sql);
    const restored = await readCatalogIn(session, schema, tablesOf(scratch, schema));
    await session.query('rollback to before_rewrites');
    // Recreated objects have lost their comments, which are compared separately.
    const left = new Set(
      differences(restored, found)
        .filter(({ fact }) => fact === null || fact === 'definition')
        .map(keyOf),
    );
    return differing.filter((difference) => !rewritten.has(difference) || left.has(keyOf(difference)));
  });
}

// An object that can't be recreated separately, such as a partition's index, keeps its difference.
async function tryStatement(session: Session, sql: string): Promise<void> {
  await session.query('savepoint before_statement');
  try {
    await session.query(sql);
  } catch (error) {
    if (isLostConnection(error)) throw error;
    await session.query('rollback to before_statement');
  }
}

function rewriting({ object, part, fact, expected, found }: Difference): string | null {
  const [, table] = /^(?:table|foreign table|materialized view) (.*)$/s.exec(object) ?? [];
  const [, kind, name] = /^(constraint|index) (.*)$/s.exec(part ?? '') ?? [];
  if (table === undefined || fact !== 'definition' || expected === null || found === null) return null;
  if (kind === 'index') {
    const [schema = ''] = /^(?:"(?:[^"]|"")+"|[^".]+)\./.exec(table) ?? [];
    return `drop index ${schema}${name}; ${expected}`;
  }
  return kind === 'constraint' && expected.startsWith('CHECK ')
    ? `alter table ${table} drop constraint ${name}, add constraint ${name} ${expected}`
    : null;
}

function keyOf({ object, part }: Difference): string {
  return JSON.stringify([object, part]);
}
