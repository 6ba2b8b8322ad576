import type { MikroORM } from '@mikro-orm/postgresql';
import { tablesOf } from '../ledger/tables.ts';
import { differences, type Difference } from './differences.ts';
import { readCatalogIn, type Catalog } from './catalog.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { isLostConnection } from '../session/sql-state.ts';

/**
 * Those of the differences that a dump and its restoration would not make. Some expressions read otherwise once they were written
 * out and read in again, a list of `varchar` values for one: checks and indexes that differ are made again in the scratch database
 * from their own texts, and what is the same then is none. Leaves the scratch database as it was.
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
    // What is made again has lost its comment, which is another matter.
    const left = new Set(
      differences(restored, found)
        .filter(({ fact }) => fact === null || fact === 'definition')
        .map(keyOf),
    );
    return differing.filter((difference) => !rewritten.has(difference) || left.has(keyOf(difference)));
  });
}

// What can't be made again by itself, such as an index that is part of another, stays, and with it the difference.
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
