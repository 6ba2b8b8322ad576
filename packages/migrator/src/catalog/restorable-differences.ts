import { isNativeError } from 'node:util/types';
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

/**
 * Returns the differences that remain when PostgreSQL has printed the checks and indexes of both sides from their own definitions. The
 * scratch database has what is expected, and is left unchanged.
 */
export async function settledDifferences(
  scratch: MikroORM,
  schema: string,
  differing: readonly Difference[],
): Promise<readonly Difference[]> {
  const rewritable = differing.filter((one) => rewriting(one) !== null);
  if (rewritable.length === 0) return differing;
  const [expected, found] = [
    await printed(scratch, schema, rewritable),
    await printed(
      scratch,
      schema,
      rewritable.map((one) => ({ ...one, expected: one.found, found: one.expected })),
    ),
  ];
  return differing.filter((one) => {
    const key = keyOf(one);
    return (
      !rewritable.includes(one) || expected.get(key) === undefined || expected.get(key) !== found.get(key)
    );
  });
}

/** Returns the definitions that PostgreSQL prints after it created parts from what is expected, by their keys. */
function printed(
  scratch: MikroORM,
  schema: string,
  differing: readonly Difference[],
): Promise<Map<string, string | undefined>> {
  return inTransaction(scratch, async (session) => {
    await session.query('savepoint before_rewrites; set local search_path to public');
    let current = differing;
    // The second time, from what it printed itself.
    for (let time = 0; time < 2; time++) {
      for (const one of current) await tryStatement(session, rewriting(one) ?? '');
      const catalog = await readCatalogIn(session, schema, tablesOf(scratch, schema));
      current = current.map((one) => ({
        ...one,
        expected: catalog.get(one.object)?.parts.get(one.part ?? '')?.['definition'] ?? null,
      }));
    }
    await session.query('rollback to before_rewrites');
    return new Map(current.map((one) => [keyOf(one), one.expected ?? undefined]));
  });
}

/**
 * Sends a statement, and undoes it if it fails: an object that can't be recreated separately keeps its difference. Returns why it failed; null
 * when it did not.
 */
export async function tryStatement(session: Session, sql: string): Promise<string | null> {
  await session.query('savepoint before_statement');
  try {
    await session.query(sql);
    return null;
  } catch (error) {
    if (isLostConnection(error)) throw error;
    await session.query('rollback to before_statement');
    return isNativeError(error) ? error.message : String(error);
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
