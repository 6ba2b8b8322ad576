import type { DefElem, IndexStmt, Node, RangeVar, ReindexStmt } from 'libpg-query';
import { parseSql } from './parse-sql.ts';

/** How a statement that can't run in a transaction is resumed when its outcome is unknown. Names are quoted. */
export type Standalone =
  /** The index is null where PostgreSQL chooses its name. */
  | { readonly kind: 'create index'; readonly index: string | null; readonly table: string }
  | { readonly kind: 'drop index'; readonly index: string }
  /** The name is null for the connected database. */
  | { readonly kind: 'reindex'; readonly what: string; readonly name: string | null }
  | { readonly kind: 'detach partition'; readonly table: string; readonly partition: string }
  | { readonly kind: 'other' };

// A text without any of these words is not parsed: it may have a million values.
const suspicious = /\b(?:concurrently|reindex|vacuum|cluster|database|tablespace|system|subscription)\b/i;

/**
 * Returns the kind of a statement that PostgreSQL runs only outside transactions; null for any other, which may run in one together with
 * its progress record. Also null for a text of several statements, which the server runs in one transaction, and for one that the
 * grammar can't parse: if it needs to run outside, the server refuses it in a transaction, and nothing is lost.
 */
export async function classifyStandalone(sql: string): Promise<Standalone | null> {
  if (!suspicious.test(sql)) return null;
  const [statement, another] = (await parseSql(sql)) ?? [];
  return statement && !another ? kindOf(statement.node) : null;
}

function kindOf(node: Node): Standalone | null {
  if ('IndexStmt' in node) return ofIndex(node.IndexStmt);
  if ('ReindexStmt' in node) return ofReindex(node.ReindexStmt);
  if ('DropStmt' in node) {
    const { concurrent, objects: [index] = [] } = node.DropStmt;
    return concurrent && index && 'List' in index
      ? { kind: 'drop index', index: quotedPath((index.List.items ?? []).map(stringOf)) }
      : null;
  }
  if ('AlterTableStmt' in node) {
    const { relation, cmds: [command] = [] } = node.AlterTableStmt;
    const { subtype, def } = command && 'AlterTableCmd' in command ? command.AlterTableCmd : {};
    return subtype === 'AT_DetachPartition' && def && 'PartitionCmd' in def && def.PartitionCmd.concurrent
      ? {
          kind: 'detach partition',
          table: quotedName(relation),
          partition: quotedName(def.PartitionCmd.name),
        }
      : null;
  }
  return isOther(node) ? { kind: 'other' } : null;
}

function ofIndex({ concurrent, idxname, relation }: IndexStmt): Standalone | null {
  if (!concurrent) return null;
  return { kind: 'create index', index: idxname ? quotedPath([idxname]) : null, table: quotedName(relation) };
}

function ofReindex({ kind, relation, name, params = [] }: ReindexStmt): Standalone | null {
  const what = String(kind).replace('REINDEX_OBJECT_', '').toLowerCase();
  const concurrently = params.some((param) => 'DefElem' in param && isOn(param.DefElem, 'concurrently'));
  // Those of several tables use one transaction per table.
  if (!concurrently && (what === 'index' || what === 'table')) return null;
  return { kind: 'reindex', what, name: relation ? quotedName(relation) : name ? quotedPath([name]) : null };
}

function isOther(node: Node): boolean {
  if ('VacuumStmt' in node) return node.VacuumStmt.is_vacuumcmd ?? false;
  if ('ClusterStmt' in node) return node.ClusterStmt.relation === undefined;
  if ('AlterDatabaseStmt' in node)
    return (node.AlterDatabaseStmt.options ?? []).some(
      (option) => 'DefElem' in option && option.DefElem.defname === 'tablespace',
    );
  return others.some((kind) => kind in node);
}

const others = [
  'CreatedbStmt',
  'DropdbStmt',
  'CreateTableSpaceStmt',
  'DropTableSpaceStmt',
  'AlterSystemStmt',
  'CreateSubscriptionStmt',
  'AlterSubscriptionStmt',
  'DropSubscriptionStmt',
];

/** Whether this is an option of that name that is switched on. */
function isOn({ defname, arg }: DefElem, name: string): boolean {
  if (defname !== name) return false;
  if (!arg) return true;
  if ('Integer' in arg) return arg.Integer.ival === 1;
  return !['false', 'off'].includes(stringOf(arg).toLowerCase());
}

function stringOf(node: Node): string {
  return 'String' in node ? (node.String.sval ?? '') : '';
}

function quotedName({ catalogname, schemaname, relname }: RangeVar = {}): string {
  return quotedPath([catalogname, schemaname, relname].flatMap((name) => name ?? []));
}

function quotedPath(names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}
