import { backfill } from '../files/backfill.ts';
import type { ColumnDef } from '../sql/grammar.ts';
import type { Constraint, IndexStmt } from '../sql/parse-sql.ts';
import type { FilledColumn } from './filled-columns.ts';
import { insertConcurrently } from './insert-concurrently.ts';
import { partsOf, relationName, type StatementPart } from './statement-parts.ts';
import { quoted } from '../create/named-objects.ts';
import type { AnnotatedStatement } from '../create/file/source.ts';

/** The statements of one migration, with their warnings. */
export interface Statements {
  readonly up: readonly AnnotatedStatement[];
  readonly down: readonly AnnotatedStatement[];
}

/** A migration in the form that blocks readers and writers for a moment only. Each part undoes exactly what it does. */
export interface SafeForms {
  /** Constraints that are not valid for existing rows yet, and all other changes. */
  readonly main: Statements;
  /** Indexes, outside a transaction. Empty when there are none. */
  readonly concurrent: Statements;
  /** What scans tables beside readers and writers, and then takes effect in a moment. Empty when there is nothing. */
  readonly closing: Statements;
}

/** What is sent instead of one action. */
interface SafeForm {
  readonly main?: readonly string[];
  readonly concurrent?: readonly string[];
  readonly closing?: readonly string[];
  /** Sent after all others of the closing migration, because its lock is held until the commit. */
  readonly last?: readonly string[];
  readonly mainDown?: readonly string[];
  readonly concurrentDown?: readonly string[];
  readonly closingDown?: readonly string[];
  /** The action of `down` that is replaced too; absent where `down` stays. */
  readonly undone?: StatementPart;
}

/** Returns the safe forms of a migration; null when nothing in it has one. New tables have no rows, and need none. */
export async function safeForms(
  { up, down }: Statements,
  filled: readonly FilledColumn[],
): Promise<SafeForms | null> {
  const forward = await partsOf(up);
  const backward = await partsOf(down);
  const made = new Set(forward.flat().flatMap(createdTable));
  const context: Context = { up: forward.flat(), down: backward.flat(), filled };
  const forms = new Map<StatementPart, SafeForm>();
  for (const action of context.up) {
    if (made.has(action.table ?? tableOfIndex(action))) continue;
    const form = formOf(action, context);
    if (form) forms.set(action, form);
  }
  if (forms.size === 0) return null;
  const undone = new Map(
    [...forms.values()].flatMap((form) => (form.undone ? [[form.undone, form] as const] : [])),
  );
  const all = [...forms];
  return {
    main: {
      up: replaced(up, forward, (action) => sentInstead(forms.get(action), 'main')),
      down: replaced(down, backward, (action) => sentInstead(undone.get(action), 'mainDown')),
    },
    concurrent: {
      up: all.flatMap(([action, { concurrent = [] }]) => noted(concurrent, action)),
      down: all.toReversed().flatMap(([, { concurrentDown = [] }]) => concurrentDown.map(plain)),
    },
    closing: {
      up: [
        ...all.flatMap(([action, { closing = [] }]) => noted(closing, action)),
        ...all.flatMap(([, { last = [] }]) => last.map(plain)),
      ],
      down: all.toReversed().flatMap(([, { closingDown = [] }]) => closingDown.map(plain)),
    },
  };
}

function sentInstead(form: SafeForm | undefined, part: 'main' | 'mainDown'): readonly string[] | undefined {
  return form && (form[part] ?? []);
}

interface Context {
  readonly up: readonly StatementPart[];
  readonly down: readonly StatementPart[];
  readonly filled: readonly FilledColumn[];
}

function formOf(action: StatementPart, context: Context): SafeForm | null {
  const { node, change, table } = action;
  if (node && 'IndexStmt' in node) return newIndex(action, node.IndexStmt, context);
  if (node && 'DropStmt' in node) return droppedIndex(action, context);
  if (!change || table === null) return null;
  if (change.subtype === 'AT_SetNotNull') return notNull(table, change.name ?? '', context);
  const { def } = change;
  if (change.subtype === 'AT_AddColumn' && def && 'ColumnDef' in def)
    return addedColumn(table, def.ColumnDef, context);
  if (change.subtype !== 'AT_AddConstraint' || !def || !('Constraint' in def)) return null;
  const { contype, conname, skip_validation: isNotValid } = def.Constraint;
  if (conname === undefined) return null;
  if (contype === 'CONSTR_UNIQUE') return unique(table, def.Constraint, context);
  if ((contype !== 'CONSTR_FOREIGN' && contype !== 'CONSTR_CHECK') || isNotValid) return null;
  const name = quoted(conname);
  return {
    main: [`${action.sql} not valid`],
    closing: [`alter table ${table} validate constraint ${name}`],
    // A constraint can't become invalid again.
    closingDown: [`alter table ${table} drop constraint ${name}, ${action.text} not valid`],
  };
}

function newIndex({ sql }: StatementPart, index: IndexStmt, { down }: Context): SafeForm | null {
  if (index.concurrent || index.idxname === undefined) return null;
  const name = indexName(index);
  const undone = down.find((one) => droppedName(one) === name);
  if (!undone) return null;
  return {
    concurrent: [insertConcurrently(sql)],
    concurrentDown: [`drop index concurrently ${name}`],
    mainDown: [],
    undone,
  };
}

function droppedIndex(action: StatementPart, { up, down }: Context): SafeForm | null {
  const name = droppedName(action);
  if (name === null) return null;
  const undone = down.find((one) => createdIndex(one) === name);
  if (!undone) return null;
  const table = tableOfIndex(undone);
  // It would be gone with its column or table.
  if (up.some((one) => one.table === table && one.change?.subtype === 'AT_DropColumn')) return null;
  if (up.some(({ node }) => node && 'DropStmt' in node && node.DropStmt.removeType === 'OBJECT_TABLE'))
    return null;
  return {
    concurrent: [`drop index concurrently ${name}`],
    concurrentDown: [insertConcurrently(undone.sql)],
    mainDown: [],
    undone,
  };
}

function unique(table: string, constraint: Constraint, { down }: Context): SafeForm | null {
  const { conname = '', keys = [], deferrable, including = [], nulls_not_distinct: nulls } = constraint;
  const columns = keys.flatMap((key) => ('String' in key ? [quoted(key.String.sval ?? '')] : []));
  const undone = down.find((one) => one.table === table && dropsConstraint(one, conname));
  if (deferrable || including.length > 0 || columns.length === 0 || columns.length < keys.length || !undone)
    return null;
  const name = quoted(conname);
  const index = `${name} on ${table} (${columns.join(', ')})${nulls ? ' nulls not distinct' : ''}`;
  const inSchema = table.includes('.') ? `${table.slice(0, table.lastIndexOf('."'))}.${name}` : name;
  return {
    concurrent: [`create unique index concurrently ${index}`],
    concurrentDown: [`drop index concurrently ${inSchema}`],
    last: [`alter table ${table} add constraint ${name} unique using index ${name}`],
    // The constraint takes its index along.
    closingDown: [`alter table ${table} drop constraint ${name}`, `create unique index ${index}`],
    mainDown: [],
    undone,
  };
}

function notNull(table: string, column: string, { down }: Context): SafeForm | null {
  const undone = down.find(
    (one) => one.table === table && one.change?.subtype === 'AT_DropNotNull' && one.change.name === column,
  );
  if (!undone) return null;
  const { add, validate, set, unset, drop } = requiredLater(table, column);
  return {
    main: [add],
    closing: [validate],
    last: [set, drop],
    closingDown: [add, unset],
    mainDown: [drop],
    undone,
  };
}

/** Adds a column empty, and fills it in batches. Its `down` stays: it drops the column. */
function addedColumn(
  table: string,
  { colname, constraints = [] }: ColumnDef,
  { filled }: Context,
): SafeForm | null {
  const added = filled.find((one) => one.table === table && one.column === colname);
  if (!added || added.keys.length === 0 || added.label.split('.').length > 2) return null;
  const kinds = constraints.map((one) => ('Constraint' in one ? one.Constraint.contype : undefined));
  if (kinds.some((kind) => !plainKinds.has(kind ?? ''))) return null;
  const column = quoted(added.column);
  const required = kinds.includes('CONSTR_NOTNULL') ? requiredLater(table, added.column) : null;
  return {
    main: [
      `alter table ${table} add ${column} ${added.type}`,
      `alter table ${table} alter column ${column} set default ${added.default}`,
    ],
    concurrent: [
      backfill(added.label, {
        by: added.keys,
        set: `${column} = ${added.default}`,
        where: `${column} is null`,
      }),
      // Not before: it would refuse updates of rows that are not filled yet.
      ...(required ? [required.add] : []),
    ],
    ...(required && {
      concurrentDown: [required.drop],
      closing: [required.validate],
      last: [required.set, required.drop],
      closingDown: [required.add, required.unset],
    }),
  };
}

const plainKinds: ReadonlySet<string> = new Set(['CONSTR_NULL', 'CONSTR_NOTNULL', 'CONSTR_DEFAULT']);

/** Returns the statements that require a value by way of a CHECK, which is validated beside readers and writers. */
function requiredLater(table: string, column: string) {
  const name = quoted(`chk_${column}_required`);
  return {
    add: `alter table ${table} add constraint ${name} check (${quoted(column)} is not null) not valid`,
    validate: `alter table ${table} validate constraint ${name}`,
    // It does not scan, because the constraint is valid.
    set: `alter table ${table} alter column ${quoted(column)} set not null`,
    unset: `alter table ${table} alter column ${quoted(column)} drop not null`,
    drop: `alter table ${table} drop constraint ${name}`,
  };
}

function dropsConstraint({ change }: StatementPart, name: string): boolean {
  return change?.subtype === 'AT_DropConstraint' && change.name === name;
}

/** Returns the quoted name of the one index that a statement drops; null for any other statement. */
function droppedName({ node }: StatementPart): string | null {
  if (!node || !('DropStmt' in node)) return null;
  const { removeType, objects = [], concurrent, behavior } = node.DropStmt;
  const [object, ...others] = objects;
  if (removeType !== 'OBJECT_INDEX' || concurrent || behavior === 'DROP_CASCADE' || others.length > 0)
    return null;
  if (!object || !('List' in object)) return null;
  return (object.List.items ?? [])
    .map((part) => ('String' in part ? quoted(part.String.sval ?? '') : ''))
    .join('.');
}

function indexName({ idxname = '', relation }: IndexStmt): string {
  return relation?.schemaname === undefined
    ? quoted(idxname)
    : `${quoted(relation.schemaname)}.${quoted(idxname)}`;
}

/** Returns the quoted name of the index that a statement creates, not concurrently; null for any other statement. */
function createdIndex({ node }: StatementPart): string | null {
  return node && 'IndexStmt' in node && !node.IndexStmt.concurrent ? indexName(node.IndexStmt) : null;
}

/** Returns the quoted name of the table of an index that is created; empty for any other statement. */
function tableOfIndex({ node }: StatementPart): string {
  const relation = node && 'IndexStmt' in node ? node.IndexStmt.relation : undefined;
  return relation ? relationName(relation) : '';
}

function createdTable({ node }: StatementPart): string[] {
  return node && 'CreateStmt' in node && node.CreateStmt.relation
    ? [relationName(node.CreateStmt.relation)]
    : [];
}

/** Returns statements with other ones for some of their actions. A statement without such an action stays as it is. */
function replaced(
  statements: readonly AnnotatedStatement[],
  actions: readonly (readonly StatementPart[])[],
  formFor: (action: StatementPart) => readonly string[] | undefined,
): AnnotatedStatement[] {
  return statements.flatMap((statement, index) => {
    const parts = actions[index] ?? [];
    if (parts.every((part) => formFor(part) === undefined)) return [statement];
    return parts.flatMap((part): AnnotatedStatement[] => {
      const form = formFor(part);
      return form ? form.map(plain) : [part];
    });
  });
}

function plain(sql: string): AnnotatedStatement {
  return { sql, notes: [] };
}

/** Returns statements, with the notes of an action at the first. */
function noted(statements: readonly string[], { notes }: StatementPart): AnnotatedStatement[] {
  return statements.map((sql, index) => ({ sql, notes: index === 0 ? notes : [] }));
}
