import type { DefElem, IndexStmt, Node, RangeVar, ReindexStmt } from 'libpg-query';
import { blockBody } from './plpgsql/block-body.ts';
import { calledFunction } from './called-function.ts';
import { commitsInBlock } from './commits-in-block.ts';
import { parseSql } from './parse-sql.ts';
import { standaloneOptions } from './marks/standalone-mark.ts';

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
const suspicious =
  /\b(?:concurrently|reindex|vacuum|cluster|database|tablespace|system|subscription|discard|pg_\w+_replication_slot)\b/i;

/**
 * Returns the kind of a statement that runs only outside transactions, or is marked to do so; null for any other, which may run in one
 * together with its progress record. Also null for a text of several statements, which the server runs in one transaction, and for one
 * that the grammar can't parse: if it needs to run outside, the server refuses it in a transaction, and nothing is lost.
 */
export async function classifyStandalone(sql: string): Promise<Standalone | null> {
  const marked = standaloneOptions(sql) === null ? null : ({ kind: 'other' } as const);
  if (!marked && !suspicious.test(sql) && !mayCommit(sql)) return null;
  const [statement, another] = (await parseSql(sql)) ?? [];
  if (!statement || another) return marked;
  return kindOf(statement.node) ?? ((await isCommittingBlock(statement.node)) ? { kind: 'other' } : marked);
}

function mayCommit(sql: string): boolean {
  return /\bdo\b/i.test(sql) && /\b(?:commit|rollback)\b/i.test(sql);
}

async function isCommittingBlock(node: Node): Promise<boolean> {
  const body = blockBody(node);
  return body !== null && (await commitsInBlock(body));
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
  if ('DiscardStmt' in node) return node.DiscardStmt.target === 'DISCARD_ALL';
  if ('SelectStmt' in node) return /^pg_\w+_replication_slot$/.test(calledFunction(node)?.name ?? '');
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

/**
 * What decides whether a statement runs only outside transactions, where its text alone does not: whether a table or index is partitioned,
 * or a procedure commits. Names are quoted.
 */
export type Undecided =
  | { readonly kind: 'relation'; readonly name: string }
  | { readonly kind: 'procedure'; readonly name: string };

/** Returns what the server must be asked about a statement that `classifyStandalone` does not know; null for most. */
export async function undecidedStandalone(sql: string): Promise<Undecided | null> {
  if (!/\b(?:reindex|cluster|call)\b/i.test(sql)) return null;
  const [statement, another] = (await parseSql(sql)) ?? [];
  if (!statement || another) return null;
  const { node } = statement;
  if ('ReindexStmt' in node && node.ReindexStmt.relation)
    return { kind: 'relation', name: quotedName(node.ReindexStmt.relation) };
  if ('ClusterStmt' in node && node.ClusterStmt.relation)
    return { kind: 'relation', name: quotedName(node.ClusterStmt.relation) };
  if ('CallStmt' in node) {
    const name = quotedPath((node.CallStmt.funccall?.funcname ?? []).map(stringOf));
    return { kind: 'procedure', name };
  }
  return null;
}
