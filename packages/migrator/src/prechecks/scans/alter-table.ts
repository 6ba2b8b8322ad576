import type { AlterTableCmd, AlterTableStmt, ColumnDef, Constraint } from '../../sql/grammar.ts';
import type { SourceText } from '../../sql/source-text.ts';
import { addedColumn, type AddedColumn } from './added-column.ts';
import { fitsBounds } from './bounds.ts';
import type { NewColumn } from '../rows/changes.ts';
import { scansOf, type RowCondition } from './conditions.ts';
import { asUnknown, constraintScans, notNull } from './constraint.ts';
import { conversionOf } from './conversion.ts';
import { leavesDefaultScans } from './new-partition.ts';
import type { Scan, Unknown } from '../rows/precheck.ts';
import { findRelation, type Relation } from '../rows/relation.ts';
import type { Context } from '../rows/rows-for.ts';
import { usedIndexNulls } from './used-index.ts';
import { validationScans } from './validation.ts';

/** An ALTER TABLE, and where it is. */
interface AlterTable {
  readonly source: SourceText;
  readonly relation: Relation;
  readonly only: boolean;
  readonly commands: readonly AlterTableCmd[];
  /** For reasons: `statement 2 of M1`. */
  readonly at: string;
}

/** Returns the scans of a statement that alters a table, and records what it does with columns. */
export async function alterTableScans(
  context: Context,
  source: SourceText,
  { relation: name, cmds = [] }: AlterTableStmt,
  at: string,
): Promise<(Scan | Unknown)[]> {
  if (!name || context.changes.isNewTable(name.relname ?? '')) return [];
  const relation = (await findRelation(context.session, name)) ?? missing(name.relname ?? '');
  const commands = cmds.flatMap((one) => ('AlterTableCmd' in one ? [one.AlterTableCmd] : []));
  const only = name.inh !== true;
  // A part of a partitioned table alone is without rows.
  if (only && relation.kind === 'p') return [];
  const altered = { source, relation, only, commands, at };
  const columns = await changedColumns(context, altered);
  const before = [...columns.unknown, ...(await scansOf(context, columns.conditions))];
  context.changes.addLayer(relation.oid, columns.layer);
  const conditions: RowCondition[] = [];
  const scans: (Scan | Unknown)[] = [];
  for (const command of commands) {
    if (command.subtype === 'AT_SetNotNull') conditions.push(notNull(relation, command.name ?? '', only));
    else scans.push(...(await commandScans(context, altered, command)));
  }
  for (const { name: column, isNotNull, isNull, constraints } of columns.added) {
    const condition = notNull(relation, column, only);
    // That is each row.
    if (isNotNull) conditions.push(isNull ? { ...condition, fails: 'true', parts: [] } : condition);
    for (const constraint of constraints)
      if (constraint.contype !== 'CONSTR_NOTNULL')
        scans.push(...(await constraintScans(context, { source, relation, constraint, column, only })));
  }
  return [...before, ...(await scansOf(context, conditions)), ...scans];
}

function missing(name: string): Relation {
  const quoted = `"${name.replaceAll('"', '""')}"`;
  return { oid: '0', kind: 'r', quoted, name, label: name, isReadable: true, columns: [] };
}

interface ChangedColumns {
  readonly layer: Map<string, NewColumn>;
  readonly conditions: RowCondition[];
  readonly unknown: Unknown[];
  readonly added: AddedColumn[];
}

/** Returns what the columns are after the statement: it converts them before it checks anything. */
async function changedColumns(
  context: Context,
  { source, relation, only, commands, at }: AlterTable,
): Promise<ChangedColumns> {
  const changed: ChangedColumns = { layer: new Map(), conditions: [], unknown: [], added: [] };
  const { layer } = changed;
  for (const { subtype, name = '', def, missing_ok: isOptional } of commands) {
    const column = def && 'ColumnDef' in def ? def.ColumnDef : null;
    if (subtype === 'AT_DropColumn') layer.set(name, { unknown: `${at} drops ${name}` });
    if (subtype === 'AT_SetExpression')
      layer.set(name, { unknown: `${at} changes how ${name} is generated` });
    if (subtype === 'AT_AddColumn' && column) {
      if (isOptional === true && relation.columns.some((one) => one.name === column.colname)) continue;
      const added = await addedColumn(context, source, column);
      layer.set(added.name, added.column);
      changed.added.push(added);
    }
    if (subtype === 'AT_AlterColumnType' && column)
      await convert(context, { source, relation, only, name, column }, changed);
  }
  return changed;
}

async function convert(
  context: Context,
  {
    source,
    relation,
    only,
    name,
    column,
  }: {
    readonly source: SourceText;
    readonly relation: Relation;
    readonly only: boolean;
    readonly name: string;
    readonly column: ColumnDef;
  },
  { layer, conditions, unknown }: ChangedColumns,
): Promise<void> {
  try {
    const conversion = await conversionOf(context, source, relation, name, column);
    layer.set(name, conversion.column);
    if (conversion.condition) conditions.push({ ...conversion.condition, relation, only });
  } catch (error) {
    const one = asUnknown(error, { kind: 'conversions', table: relation.label, subject: `type of ${name}` });
    unknown.push(one);
    layer.set(name, { unknown: one.reason });
  }
}

async function commandScans(
  context: Context,
  altered: AlterTable,
  { subtype, def, name }: AlterTableCmd,
): Promise<(Scan | Unknown)[]> {
  const { source, relation, only } = altered;
  if (subtype === 'AT_AddConstraint' && def && 'Constraint' in def)
    return addedConstraint(context, altered, def.Constraint);
  if (subtype === 'AT_ValidateConstraint') return validationScans(context, relation, name ?? '', only);
  if (subtype === 'AT_AttachPartition' && def && 'PartitionCmd' in def) {
    const { name: partitionName, bound } = def.PartitionCmd;
    if (!partitionName || !bound) return [];
    const leaving = await leavesDefaultScans(context, source, relation, bound);
    const isNew = context.changes.isNewTable(partitionName.relname ?? '');
    const partition = isNew ? null : await findRelation(context.session, partitionName);
    if (!partition) return leaving;
    const given = { parent: relation, partition, bound };
    const fits = await fitsBounds(context, source, given).catch((error: unknown) =>
      asUnknown(error, {
        kind: 'bounds',
        table: partition.label,
        subject: `bounds of a partition of ${relation.label}`,
      }),
    );
    return [...('reason' in fits ? [fits] : await scansOf(context, [fits])), ...leaving];
  }
  return [];
}

async function addedConstraint(
  context: Context,
  { source, relation, only }: AlterTable,
  constraint: Constraint,
): Promise<(Scan | Unknown)[]> {
  if (constraint.skip_validation === true) {
    context.changes.addNotValid(relation.oid, constraint.conname ?? '', { constraint, source });
    return [];
  }
  if (constraint.indexname !== undefined) return usedIndexNulls(context, relation, constraint, only);
  return constraintScans(context, { source, relation, constraint, column: null, only });
}
