import type { AlterTableCmd, DefElem, Node, RangeVar, WithClause } from 'libpg-query';
import { parseSql } from './parse-sql.ts';

/** What a statement asks for, by PostgreSQL's grammar. Names are quoted. */
export type Action =
  | { readonly kind: 'create index' | 'drop index'; readonly concurrent: boolean }
  | { readonly kind: 'reindex' | 'refresh'; readonly name: string; readonly concurrent: boolean }
  | { readonly kind: 'reindex all'; readonly concurrent: boolean }
  | { readonly kind: 'cluster' | 'vacuum full'; readonly name: string | null }
  | {
      readonly kind: 'attach' | 'detach';
      readonly table: string;
      readonly partition: string;
      readonly concurrent: boolean;
    }
  | { readonly kind: 'alter type'; readonly table: string; readonly column: string; readonly type: string }
  | { readonly kind: 'drop'; readonly name: string; readonly cascade: boolean }
  | { readonly kind: 'truncate'; readonly name: string; readonly cascade: boolean }
  | { readonly kind: 'update' | 'delete' | 'merge'; readonly table: string; readonly filtered: boolean }
  | { readonly kind: 'alter domain'; readonly domain: string; readonly validated: boolean }
  | { readonly kind: 'add enum value'; readonly type: string; readonly value: string }
  | { readonly kind: 'set'; readonly name: string; readonly local: boolean };

/** A statement of a text, with what it asks for. */
export interface ActingStatement {
  readonly text: string;
  readonly actions: readonly Action[];
}

/** Returns the statements of a text; the text alone, without actions, where the grammar can't parse it. */
export async function actingStatements(sql: string): Promise<ActingStatement[]> {
  const parsed = await parseSql(sql);
  return (
    parsed?.map(({ text, node }) => ({ text, actions: actionsOf(node) })) ?? [{ text: sql, actions: [] }]
  );
}

/** Returns the relations that an action names. */
export function relationsIn(action: Action): string[] {
  const names = [
    'name' in action && action.kind !== 'set' ? action.name : null,
    'table' in action ? action.table : null,
    'partition' in action ? action.partition : null,
  ];
  return names.flatMap((name) => (name === null || name === '' ? [] : [name]));
}

function actionsOf(node: Node): Action[] {
  if ('IndexStmt' in node) return [{ kind: 'create index', concurrent: node.IndexStmt.concurrent ?? false }];
  if ('ReindexStmt' in node) {
    const { relation, params = [] } = node.ReindexStmt;
    const concurrent = params.some((one) => 'DefElem' in one && isOn(one.DefElem, 'concurrently'));
    return [
      relation
        ? { kind: 'reindex', name: nameOf(relation), concurrent }
        : { kind: 'reindex all', concurrent },
    ];
  }
  if ('RefreshMatViewStmt' in node) {
    const { relation, concurrent = false, skipData = false } = node.RefreshMatViewStmt;
    return skipData ? [] : [{ kind: 'refresh', name: nameOf(relation), concurrent }];
  }
  if ('ClusterStmt' in node) {
    const { relation } = node.ClusterStmt;
    return [{ kind: 'cluster', name: relation ? nameOf(relation) : null }];
  }
  if ('VacuumStmt' in node) return ofVacuum(node.VacuumStmt);
  if ('AlterTableStmt' in node) {
    const { relation, cmds = [] } = node.AlterTableStmt;
    return cmds.flatMap((one) =>
      'AlterTableCmd' in one ? ofTable(nameOf(relation), one.AlterTableCmd) : [],
    );
  }
  if ('DropStmt' in node) return ofDrop(node.DropStmt);
  if ('TruncateStmt' in node) {
    const { relations = [], behavior } = node.TruncateStmt;
    return relations.flatMap((one): Action[] =>
      'RangeVar' in one
        ? [{ kind: 'truncate', name: nameOf(one.RangeVar), cascade: behavior === 'DROP_CASCADE' }]
        : [],
    );
  }
  return [...ofRows(node), ...ofQueriesIn(node), ...ofTypes(node), ...ofSettings(node)];
}

function ofVacuum({
  options = [],
  rels = [],
}: Extract<Node, { VacuumStmt: unknown }>['VacuumStmt']): Action[] {
  if (!options.some((one) => 'DefElem' in one && isOn(one.DefElem, 'full'))) return [];
  const names = rels.flatMap((one) =>
    'VacuumRelation' in one && one.VacuumRelation.relation ? [nameOf(one.VacuumRelation.relation)] : [],
  );
  return (names.length === 0 ? [null] : names).map((name) => ({ kind: 'vacuum full', name }));
}

function ofTable(table: string, { subtype, name, def, behavior }: AlterTableCmd): Action[] {
  if (subtype === 'AT_AlterColumnType' && def && 'ColumnDef' in def) {
    const type = (def.ColumnDef.typeName?.names ?? []).map(stringOf).join('.');
    return [{ kind: 'alter type', table, column: name ?? '', type }];
  }
  if (subtype === 'AT_DropColumn' || subtype === 'AT_DropConstraint')
    return [{ kind: 'drop', name: quotedPath([name ?? '']), cascade: behavior === 'DROP_CASCADE' }];
  if (
    (subtype === 'AT_AttachPartition' || subtype === 'AT_DetachPartition') &&
    def &&
    'PartitionCmd' in def
  ) {
    const { name: partition, concurrent = false } = def.PartitionCmd;
    const kind = subtype === 'AT_AttachPartition' ? 'attach' : 'detach';
    return [{ kind, table, partition: nameOf(partition), concurrent }];
  }
  return [];
}

function ofDrop({
  objects = [],
  behavior,
  removeType,
  concurrent = false,
}: Extract<Node, { DropStmt: unknown }>['DropStmt']): Action[] {
  if (removeType === 'OBJECT_INDEX') return [{ kind: 'drop index', concurrent }];
  return objects.map((one) => {
    const parts = 'List' in one ? (one.List.items ?? []).map(stringOf) : [stringOf(one)];
    return { kind: 'drop', name: quotedPath(parts), cascade: behavior === 'DROP_CASCADE' };
  });
}

function ofRows(node: Node): Action[] {
  if ('UpdateStmt' in node) {
    const { relation, whereClause } = node.UpdateStmt;
    return [{ kind: 'update', table: nameOf(relation), filtered: whereClause !== undefined }];
  }
  if ('DeleteStmt' in node) {
    const { relation, whereClause } = node.DeleteStmt;
    return [{ kind: 'delete', table: nameOf(relation), filtered: whereClause !== undefined }];
  }
  if ('MergeStmt' in node) return [{ kind: 'merge', table: nameOf(node.MergeStmt.relation), filtered: true }];
  return [];
}

/** Returns the actions of the queries in a `with` clause. */
function ofQueriesIn(node: Node): Action[] {
  const [statement] = Object.values(node);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all queries name their clause so, and no other statement has one
  const { withClause } = statement as { readonly withClause?: WithClause };
  return (withClause?.ctes ?? []).flatMap((one) => {
    const query = 'CommonTableExpr' in one ? one.CommonTableExpr.ctequery : undefined;
    return query ? actionsOf(query) : [];
  });
}

function ofTypes(node: Node): Action[] {
  if ('AlterDomainStmt' in node) {
    const { subtype, typeName = [], def } = node.AlterDomainStmt;
    // The grammar's letters: `C` adds a constraint, `O` sets NOT NULL.
    if (subtype !== 'C' && subtype !== 'O') return [];
    const validated = !(def && 'Constraint' in def && def.Constraint.skip_validation);
    return [{ kind: 'alter domain', domain: quotedPath(typeName.map(stringOf)), validated }];
  }
  if ('AlterEnumStmt' in node) {
    const { typeName = [], oldVal, newVal } = node.AlterEnumStmt;
    if (oldVal !== undefined || newVal === undefined) return [];
    return [{ kind: 'add enum value', type: quotedPath(typeName.map(stringOf)), value: newVal }];
  }
  return [];
}

function ofSettings(node: Node): Action[] {
  if ('VariableSetStmt' in node) {
    const { name = '', is_local: local = false, kind = '' } = node.VariableSetStmt;
    // `set transaction` ends with it; `reset` and `set … to default` leave what the session had at its beginning.
    const isLasting = kind === 'VAR_SET_VALUE' || kind === 'VAR_SET_CURRENT' || name.startsWith('SESSION');
    return isLasting ? [{ kind: 'set', name: name.toLowerCase(), local }] : [];
  }
  if (!('SelectStmt' in node)) return [];
  return (node.SelectStmt.targetList ?? []).flatMap((target): Action[] => {
    const value = 'ResTarget' in target ? target.ResTarget.val : undefined;
    if (!value || !('FuncCall' in value)) return [];
    const { funcname = [], args = [] } = value.FuncCall;
    const [called] = funcname.map(stringOf).slice(-1);
    if (called !== 'set_config') return [];
    const [first, , third] = args;
    const name = first && 'A_Const' in first ? (first.A_Const.sval?.sval ?? '') : '';
    const local = third !== undefined && 'A_Const' in third && third.A_Const.boolval?.boolval === true;
    return [{ kind: 'set', name, local }];
  });
}

function isOn({ defname, arg }: DefElem, name: string): boolean {
  if (defname !== name) return false;
  if (!arg) return true;
  if ('Integer' in arg) return arg.Integer.ival === 1;
  return !['false', 'off'].includes(stringOf(arg).toLowerCase());
}

function stringOf(node: Node): string {
  return 'String' in node ? (node.String.sval ?? '') : '';
}

function nameOf({ schemaname, relname }: RangeVar = {}): string {
  return quotedPath([schemaname, relname].flatMap((name) => name ?? []));
}

function quotedPath(names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.');
}
