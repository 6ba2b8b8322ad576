import type { MikroORM } from '@mikro-orm/postgresql';
import { tablesOf } from '../ledger/tables.ts';
import { differences, type Difference } from './differences.ts';
import { readCatalogIn, type Catalog } from './catalog.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { isLostConnection } from '../session/sql-state.ts';

/**
 * Returns the differences that a dump and restore would not cause. PostgreSQL prints some expressions differently after they were dumped
 * and restored, such as a list of `varchar` values: checks and indexes that differ are created again in the scratch database from their
 * own definitions, and those that are equal then are omitted. Leaves the scratch database unchanged.
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
    await session.query('savepoint as_it_was; set local search_path to public');
    for (const sql of rewritten.values()) await tried(session, sql);
    const restored = await readCatalogIn(session, schema, tablesOf(scratch, schema));
    await session.query('rollback to as_it_was');
    // Recreated objects have lost their comments, which are compared separately.
    const left = new Set(
      differences(restored, found)
        .filter(({ fact }) => fact === null || fact === 'definition')
        .map(keyOf),
    );
    return differing.filter((difference) => !rewritten.has(difference) || left.has(keyOf(difference)));
  });
}

// An object that can't be recreated alone, such as a partition's index, stays, and with it the difference.
async function tried(session: Session, sql: string): Promise<void> {
  await session.query('savepoint before_it');
  try {
    await session.query(sql);
  } catch (error) {
    if (isLostConnection(error)) throw error;
    await session.query('rollback to before_it');
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
