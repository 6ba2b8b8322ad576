import type { AlterTableStmt, Node, RangeVar, RenameStmt } from '../sql/grammar.ts';
import { stringsOf } from '../sql/names-in-tree.ts';
import type { ParsedStatement } from '../sql/parse-sql.ts';
import { columnPart } from './rows/part.ts';
import { findRelation } from './rows/relation.ts';
import type { Context } from './rows/rows-for.ts';
import { recordRowChanges } from './row-changes.ts';

/**
 * Records what a statement changes that later questions may depend on. What it does with columns, `deriveScans` records. A statement of a
 * kind that is not known here may change anything.
 */
export async function recordEffects(context: Context, { node }: ParsedStatement, at: string): Promise<void> {
  const { changes } = context;
  const [kind = ''] = Object.keys(node);
  const changeNames = (names: readonly (string | undefined)[]): void => {
    for (const name of names)
      if (name !== undefined) changes.changeName(name, `${at} creates, changes or drops ${name}`);
  };
  if (harmless.has(kind)) return;
  if (rowKinds.has(kind)) return recordRowChanges(context, node, at);
  if ('AlterTableStmt' in node) return recordAlterTable(context, node.AlterTableStmt, at);
  if ('RenameStmt' in node) return recordRename(context, node.RenameStmt, at);
  if ('CreateStmt' in node) {
    const { relation, inhRelations = [], if_not_exists: isOptional } = node.CreateStmt;
    if (isOptional === true && relation && (await findRelation(context.session, relation))) return;
    changes.createTable(relation?.relname ?? '', `${at} creates ${relation?.relname}`);
    // Of its parents, no row changes.
    for (const parent of inhRelations)
      if (!('RangeVar' in parent)) changes.changeEverything(`${at} is not understood`);
    return;
  }
  if ('CreateEnumStmt' in node) {
    const { typeName, vals } = node.CreateEnumStmt;
    const name = stringsOf(typeName).at(-1) ?? '';
    changes.createEnum(name, stringsOf(vals), `${at} creates ${name}`);
    return;
  }
  if ('CreateTrigStmt' in node) return recordCode(context, node.CreateTrigStmt.relation);
  if ('RuleStmt' in node) return recordCode(context, node.RuleStmt.relation);
  if ('VariableSetStmt' in node) {
    const { name = '' } = node.VariableSetStmt;
    if (!harmlessSettings.test(name)) changes.changeMigration(`${at} sets ${name}`);
    return;
  }
  if ('DropStmt' in node) {
    // A dropped partition takes rows of its parents along.
    for (const object of node.DropStmt.objects ?? []) {
      const names =
        'List' in object
          ? stringsOf(object.List.items)
          : 'TypeName' in object
            ? stringsOf(object.TypeName.names)
            : stringsOf([object]);
      changeNames(names.slice(-1));
      if (node.DropStmt.removeType !== 'OBJECT_TABLE') continue;
      const [relname, schemaname] = names.toReversed();
      await recordRowChanges(
        context,
        {
          TruncateStmt: {
            relations: [
              {
                RangeVar: {
                  ...(relname !== undefined && { relname }),
                  ...(schemaname !== undefined && { schemaname }),
                },
              },
            ],
          },
        },
        at,
      );
    }
    return;
  }
  const names = namedBy(node);
  if (names) return changeNames(names);
  changes.changeEverything(`${at} may change anything`);
}

const rowKinds: ReadonlySet<string> = new Set([
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'TruncateStmt',
  'CopyStmt',
  'SelectStmt',
]);

const harmless: ReadonlySet<string> = new Set([
  'IndexStmt',
  'CommentStmt',
  'GrantStmt',
  'AlterDefaultPrivilegesStmt',
  'CreatePolicyStmt',
  'AlterPolicyStmt',
  'CreatePublicationStmt',
  'AlterPublicationStmt',
  'CreateStatsStmt',
  'AlterStatsStmt',
  'VacuumStmt',
  'ReindexStmt',
  'ClusterStmt',
  'LockStmt',
  'NotifyStmt',
  'ConstraintsSetStmt',
  'CreateSeqStmt',
  'AlterSeqStmt',
  'CreateExtensionStmt',
  'AlterOwnerStmt',
  'AlterDomainStmt',
  'SecLabelStmt',
  'VariableShowStmt',
  'CheckPointStmt',
  'CreateRoleStmt',
  'AlterRoleStmt',
  'RefreshMatViewStmt',
]);

// They change neither what names mean nor how values are converted.
const harmlessSettings =
  /^(?:client_encoding|client_min_messages|lock_timeout|statement_timeout|\w*idle\w*_timeout|transaction_timeout|work_mem|maintenance_work_mem|max_parallel_\w+|synchronous_commit|session_replication_role|check_function_bodies|application_name|default_tablespace|default_table_access_method|log_\w+)$/;

/** Returns the names of what a statement creates or changes; null when it may change more. */
function namedBy(node: Node): (string | undefined)[] | null {
  if ('CreateFunctionStmt' in node) return stringsOf(node.CreateFunctionStmt.funcname).slice(-1);
  if ('CreateDomainStmt' in node) return stringsOf(node.CreateDomainStmt.domainname).slice(-1);
  if ('CompositeTypeStmt' in node) return [node.CompositeTypeStmt.typevar?.relname];
  if ('CreateRangeStmt' in node) return stringsOf(node.CreateRangeStmt.typeName).slice(-1);
  if ('AlterEnumStmt' in node) return stringsOf(node.AlterEnumStmt.typeName).slice(-1);
  if ('AlterFunctionStmt' in node) return stringsOf(node.AlterFunctionStmt.func?.objname).slice(-1);
  if ('DefineStmt' in node) return stringsOf(node.DefineStmt.defnames).slice(-1);
  if ('ViewStmt' in node) return [node.ViewStmt.view?.relname];
  if ('CreateSchemaStmt' in node) return node.CreateSchemaStmt.schemaElts ? null : [];
  if ('AlterObjectSchemaStmt' in node) {
    const { relation, object } = node.AlterObjectSchemaStmt;
    return relation
      ? [relation.relname]
      : object && 'List' in object
        ? stringsOf(object.List.items).slice(-1)
        : null;
  }
  if ('CreateTableAsStmt' in node) return [node.CreateTableAsStmt.into?.rel?.relname];
  return null;
}

const changesRows: ReadonlySet<string | undefined> = new Set([
  'AT_AttachPartition',
  'AT_DetachPartition',
  'AT_AddInherit',
  'AT_DropInherit',
]);
const enablesCode = /^AT_Enable(?:Always|Replica)?(?:Trig|TrigAll|TrigUser|Rule)$/;

async function recordAlterTable(
  context: Context,
  { relation: name, cmds = [], objtype }: AlterTableStmt,
  at: string,
): Promise<void> {
  const { changes, session } = context;
  if (!name) return;
  if (objtype !== 'OBJECT_TABLE')
    return changes.changeName(name.relname ?? '', `${at} changes ${name.relname}`);
  const relation = await findRelation(session, name);
  if (!relation) return;
  for (const command of cmds) {
    if (!('AlterTableCmd' in command)) continue;
    const { subtype = '', def } = command.AlterTableCmd;
    if (enablesCode.test(subtype)) changes.addCode(relation.oid);
    if (changesRows.has(subtype))
      changes.changeRows(relation.oid, `${at} changes what is part of ${relation.label}`);
    const constraint = def && 'Constraint' in def ? def.Constraint : null;
    const parent = constraint?.pktable ? await findRelation(session, constraint.pktable) : null;
    if (parent) changes.addCascade(parent.oid, relation.oid);
  }
}

async function recordRename(
  { changes, session }: Context,
  { renameType, relation: name, subname, newname, object }: RenameStmt,
  at: string,
): Promise<void> {
  if (renameType === 'OBJECT_COLUMN' && name) {
    const relation = await findRelation(session, name);
    if (!relation || subname === undefined || newname === undefined) return;
    changes.addLayer(
      relation.oid,
      new Map([
        [subname, { unknown: `${at} renames ${subname}` }],
        [newname, { value: columnPart(relation, subname) }],
      ]),
    );
    return;
  }
  if (renameType === 'OBJECT_TABCONSTRAINT' || renameType === 'OBJECT_INDEX') return;
  const old =
    name?.relname ??
    (object && 'List' in object ? stringsOf(object.List.items).at(-1) : stringsOf([object]).at(-1));
  for (const one of [old, newname]) if (one !== undefined) changes.changeName(one, `${at} renames ${old}`);
}

async function recordCode({ changes, session }: Context, name: RangeVar | undefined): Promise<void> {
  const relation = name ? await findRelation(session, name) : null;
  if (relation) changes.addCode(relation.oid);
}
