import type { MikroORM } from '@mikro-orm/postgresql';
import type { Catalog } from '../catalog/catalog.ts';
import { identifiersOf } from '../catalog/ignored-objects.ts';
import { withoutName } from '../entities/comparable.ts';
import type { SchemaDifference, TableDifference } from './difference.ts';
import { namedObjects, shortName } from './named-objects.ts';

/** The changes of both directions. */
export interface BothDirections {
  readonly forward: SchemaDifference;
  readonly backward: SchemaDifference;
}

/** What may be dropped, and what the migrations and the entities create. */
export interface Evidence {
  readonly orm: MikroORM;
  readonly drops: ReadonlySet<string>;
  readonly made: Catalog;
  readonly described: Catalog;
}

/**
 * Takes out of both differences what belongs to an extension, and what an entity never described, or may never have described: triggers with functions that are not the
 * ORM's, comments, row security, and views, functions, native enums, policies, checks, indexes and foreign keys that don't have the name
 * that the ORM would give. Returns what stays, each as its kind and name.
 */
export function leaveAlone({ forward, backward }: BothDirections, evidence: Evidence): string[] {
  const kept: string[] = [];
  const isKept = (kind: string, name: string, isDescribed: boolean) => {
    if (isDescribed || evidence.drops.has(name)) return false;
    kept.push(`${kind} ${name}`);
    return true;
  };
  for (const [key, table] of Object.entries(forward.changedTables)) {
    const back = backward.changedTables[key];
    if (back) inTable(table, back, evidence, isKept);
  }
  const own = namesIn(evidence.made);
  const isOfExtension = (
    kind: string,
    one: { readonly schema?: string | undefined; readonly name: string },
  ) => !own.has(`${kind} ${shortName(one)}`);
  for (const [key, table] of Object.entries(forward.removedTables)) {
    if (!isOfExtension('table', table)) continue;
    delete forward.removedTables[key];
    // The ORM names new tables with their schema, and removed ones without `public`.
    delete backward.newTables[table.getShortestName(false)];
  }
  take(forward.removedViews, backward.newViews, (view) => isOfExtension(kindOf(view), view));
  const usedEnums = enumsOfChangedColumns(forward);
  take(forward.removedViews, backward.newViews, (view) => isKept(kindOf(view), shortName(view), false));
  take(forward.removedRoutines, backward.newRoutines, (routine) =>
    isKept(routine.type, shortName(routine), false),
  );
  forward.removedNativeEnums = forward.removedNativeEnums.filter((one) => {
    if (!isKept('type', shortName(one), usedEnums.has(shortName(one)))) return true;
    backward.newNativeEnums = backward.newNativeEnums.filter((other) => shortName(other) !== shortName(one));
    return false;
  });
  dropUnchanged(forward);
  dropUnchanged(backward);
  return kept;
}

function kindOf({ materialized }: { readonly materialized?: boolean | undefined }): string {
  return materialized ? 'materialized view' : 'view';
}

/** Returns the tables and views of a catalog, which has none of extensions. */
function namesIn(catalog: Catalog): Set<string> {
  return new Set(
    [...catalog.keys()].flatMap((key) => {
      const [, kind, printed = ''] = /^(table|view|materialized view) (.*)$/s.exec(key) ?? [];
      const [first = '', second] = identifiersOf(printed);
      const name = second === undefined ? first : shortName({ schema: first, name: second });
      return kind === undefined ? [] : [`${kind} ${name}`];
    }),
  );
}

type IsKept = (kind: string, name: string, isDescribed: boolean) => boolean;

function inTable(table: TableDifference, back: TableDifference, evidence: Evidence, isKept: IsKept): void {
  const { fromTable, toTable, removedColumns, addedColumns } = table;
  const name = shortName(fromTable);
  // A generated column may be dropped and added again.
  const loses = (columns: readonly string[]) =>
    columns.some((column) => removedColumns[column] !== undefined && addedColumns[column] === undefined);
  const named = (columns: readonly string[], type: 'index' | 'unique' | 'foreign' | 'check') =>
    evidence.orm.em.getPlatform().getIndexName(fromTable.name, [...columns], type);
  const again = (kind: string, part: string) => isDescribedAgain(evidence, table, `${kind} ${part}`);
  take(table.removedIndexes, back.addedIndexes, (index) =>
    isKept(
      'index',
      `${name}.${index.keyName}`,
      index.primary ||
        loses(index.columnNames) ||
        index.keyName in table.addedIndexes ||
        index.keyName === named(index.columnNames, index.unique ? 'unique' : 'index') ||
        again(index.constraint ? 'constraint' : 'index', index.keyName),
    ),
  );
  take(table.removedForeignKeys, back.addedForeignKeys, (key) =>
    isKept(
      'foreign key',
      `${name}.${key.constraintName}`,
      loses(key.columnNames) ||
        key.constraintName === named(key.columnNames, 'foreign') ||
        Object.values(table.addedForeignKeys).some(
          (other) => String(other.columnNames) === String(key.columnNames),
        ),
    ),
  );
  take(table.removedChecks, back.addedChecks, ({ name: check, columnName: column }) =>
    isKept(
      'check',
      `${name}.${check}`,
      (column !== undefined && (loses([column]) || isOfEnum(fromTable.getColumn(column), check, named))) ||
        again('constraint', check),
    ),
  );
  // The ORM finds no body where the function is not its own.
  take(table.removedTriggers, back.addedTriggers, (trigger) =>
    isKept('trigger', `${name}.${trigger.name}`, trigger.body !== ''),
  );
  take(table.removedPolicies, back.addedPolicies, (policy) =>
    isKept('policy', `${name}.${policy.name}`, policy.name in table.addedPolicies),
  );
  if (
    (table.changedRlsEnabled === false || table.changedRlsForced === false) &&
    isKept('row security of', `${name}.row security`, false)
  ) {
    for (const one of [table, back]) {
      delete one.changedRlsEnabled;
      delete one.changedRlsForced;
    }
  }
  // An entity without a comment describes none.
  if ('changedComment' in table && !toTable.comment) {
    delete table.changedComment;
    delete back.changedComment;
  }
  for (const [column, change] of Object.entries(table.changedColumns)) {
    if (change.column.comment || !change.changedProperties.has('comment')) continue;
    for (const one of [table, back]) {
      one.changedColumns[column]?.changedProperties.delete('comment');
      if (one.changedColumns[column]?.changedProperties.size === 0) delete one.changedColumns[column];
    }
  }
}

/** Whether a check is that of a column with an enum. */
function isOfEnum(
  column: TableDifference['addedColumns'][string] | undefined,
  check: string,
  named: (columns: readonly string[], type: 'check') => string,
): boolean {
  return (
    column?.enumItems !== undefined && column.enumItems.length > 0 && check === named([column.name], 'check')
  );
}

/** Whether the entities have the same index or constraint under another name. */
function isDescribedAgain(
  { made, described }: Evidence,
  { fromTable }: TableDifference,
  part: string,
): boolean {
  const table = namedObjects(made).find(
    ({ kind, name, schema }) =>
      kind === 'table' && name === fromTable.name && schema === (fromTable.schema ?? 'public'),
  );
  const definition = table?.object.parts.get(part)?.['definition'];
  if (!table || definition === undefined) return false;
  return [...(described.get(table.key)?.parts ?? [])].some(
    ([other, facts]) =>
      !table.object.parts.has(other) && withoutName(facts['definition'] ?? '') === withoutName(definition),
  );
}

/** Removes the entries of one record that are kept, and those of the same names from the other. */
function take<T>(
  removed: Record<string, T>,
  added: Record<string, unknown>,
  isKept: (one: T) => boolean,
): void {
  for (const [key, one] of Object.entries(removed)) {
    if (!isKept(one)) continue;
    delete removed[key];
    delete added[key];
  }
}

/** Returns the native enums of columns that are dropped or change their type, so that entities described them. */
function enumsOfChangedColumns({ changedTables, removedTables }: SchemaDifference): Set<string> {
  const columns = [
    ...Object.values(removedTables).flatMap((table) => table.getColumns()),
    ...Object.values(changedTables).flatMap((table) => [
      ...Object.values(table.removedColumns),
      ...Object.values(table.changedColumns).map(({ fromColumn }) => fromColumn),
    ]),
  ];
  return new Set(columns.flatMap(({ nativeEnumName }) => nativeEnumName ?? []));
}

function dropUnchanged({ changedTables }: SchemaDifference): void {
  for (const [key, table] of Object.entries(changedTables)) {
    const { name: _, fromTable: _from, toTable: _to, ...changes } = table;
    const isEmpty = Object.entries(changes).every(([change, value]) =>
      typeof value === 'object' && value !== null && !change.startsWith('changedPartitioning')
        ? Object.keys(value).length === 0
        : value === undefined,
    );
    if (isEmpty) delete changedTables[key];
  }
}
