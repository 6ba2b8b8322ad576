import type { Node } from 'libpg-query';
import { parseSql } from './parse-sql.ts';
import { standaloneOptions } from './marks/standalone-mark.ts';
import { calledFunction } from './called-function.ts';

/** What is known of a statement outside a transaction that was sent, and whose completion was not recorded. */
export type Outcome =
  /** To send it again does no harm. */
  | { readonly kind: 'idempotent' }
  /** The server knows: it created or dropped an object, or nothing happened. */
  | ({ readonly kind: 'object' } & SharedObject)
  /** `atomic`: after an error of the server, nothing of it was done. `code`: it runs code, which may commit. */
  | { readonly kind: 'unknown'; readonly atomic: boolean; readonly code: boolean };

/** An object of the server. */
export interface SharedObject {
  readonly type: 'database' | 'tablespace' | 'subscription' | 'slot';
  readonly name: string;
  /** Whether the statement creates it; else it drops it. */
  readonly creates: boolean;
}

/** Returns what is known of the outcome of a statement that was interrupted. */
export async function outcomeOf(sql: string): Promise<Outcome> {
  const [statement] = (await parseSql(sql)) ?? [];
  if (standaloneOptions(sql)?.idempotent) return { kind: 'idempotent' };
  if (!statement) return { kind: 'unknown', atomic: false, code: true };
  const { node } = statement;
  const shared = objectOf(node);
  if (shared) return { kind: 'object', ...shared };
  if (idempotent.some((kind) => kind in node)) return { kind: 'idempotent' };
  const code = 'CallStmt' in node || 'DoStmt' in node;
  return { kind: 'unknown', atomic: !code, code };
}

const idempotent = [
  'VacuumStmt',
  'ClusterStmt',
  'ReindexStmt',
  'AlterSystemStmt',
  'AlterDatabaseStmt',
  'AlterSubscriptionStmt',
  'DiscardStmt',
];

function objectOf(node: Node): SharedObject | null {
  if ('CreatedbStmt' in node) return object('database', node.CreatedbStmt.dbname, true);
  if ('DropdbStmt' in node) return object('database', node.DropdbStmt.dbname, false);
  if ('CreateTableSpaceStmt' in node)
    return object('tablespace', node.CreateTableSpaceStmt.tablespacename, true);
  if ('DropTableSpaceStmt' in node)
    return object('tablespace', node.DropTableSpaceStmt.tablespacename, false);
  if ('CreateSubscriptionStmt' in node)
    return object('subscription', node.CreateSubscriptionStmt.subname, true);
  if ('DropSubscriptionStmt' in node) return object('subscription', node.DropSubscriptionStmt.subname, false);
  const called = calledFunction(node);
  if (called && /^pg_(?:create_(?:logical|physical)|drop)_replication_slot$/.test(called.name))
    return object('slot', called.argument, called.name.startsWith('pg_create_'));
  return null;
}

function object(
  type: SharedObject['type'],
  name: string | null | undefined,
  creates: boolean,
): SharedObject | null {
  return name == null ? null : { type, name, creates };
}
