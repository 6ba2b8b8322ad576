import { joinNames } from './join-names.ts';
import type { Direction } from '../files/code-migration.ts';
import type { TypeChange } from './type-changes.ts';
import { quotedTable, requiredColumns, type SchemaDifference, type TableDifference } from './difference.ts';

/** A risk of a created migration on a database with rows. */
export interface Warning {
  readonly message: string;
  /** Texts that its statement contains; empty for the whole direction. */
  readonly about: readonly string[];
  /** Whether it is about a lock, which a safe form of the statement does not take. */
  readonly ofLock?: boolean;
}

type Column = TableDifference['addedColumns'][string];

/** Returns warnings for differences that change, lose or constrain rows. */
export function warningsOf(difference: SchemaDifference): Warning[] {
  return [
    ...Object.values(difference.removedTables).map(({ name }) => ({
      message: `loses the rows of ${name}`,
      about: ['drop table', `"${name}"`],
    })),
    ...Object.values(difference.changedTables).flatMap(ofTable),
  ];
}

/** Returns warnings for columns that get another type. */
export function typeWarningsOf(
  changes: readonly TypeChange[],
  direction: Direction,
  { changedTables }: SchemaDifference,
): Warning[] {
  const numbered = new Set(
    Object.values(changedTables).flatMap((table) =>
      Object.values(table.changedColumns).flatMap(({ column }) =>
        column.autoincrement ? [`${quotedTable(table)} ${column.name}`] : [],
      ),
    ),
  );
  return changes.flatMap(({ name, column, table, from, to, values }): Warning[] => {
    const about = [`alter table ${table} `, `"${column} keeps its values"`];
    const typed = [`alter table ${table} alter column "${column}" type `];
    const becomes = `turns ${name} from ${from} into ${to}`;
    if (values === 'changed')
      return [{ message: `${becomes}, and changes the values that don't fit`, about: typed }];
    if (values === 'refused') {
      const remedy =
        direction === 'up' ? `correct them first, or create it with --lossy ${name}` : 'correct them first';
      return [{ message: `${becomes}: fails on rows whose value would change: ${remedy}`, about }];
    }
    return direction === 'up' && numbered.has(`${table} ${column}`)
      ? [
          {
            message: `the sequence of ${name} still ends where ${from} does: see alter sequence … as`,
            about: typed,
          },
        ]
      : [];
  });
}

/** Returns the tables and columns that a difference drops. */
export function lossesOf(difference: SchemaDifference): string[] {
  return [
    ...Object.values(difference.removedTables).map(({ name }) => `the rows of ${name}`),
    ...Object.values(difference.changedTables).flatMap((table) =>
      lostColumns(table).map(({ name }) => `what ${table.name}.${name} holds`),
    ),
  ];
}

/** Returns what a migration loses, refuses and changes, as sentences. */
export function declarationsOf(
  losses: Readonly<Record<Direction, readonly string[]>>,
  types: Readonly<Record<Direction, readonly TypeChange[]>>,
): string[] {
  const refused = (direction: Direction) =>
    types[direction]
      .filter(({ values }) => values === 'refused')
      .map(({ name, to }) => `${name} would change as ${to}`);
  const changed = types.up
    .filter(({ values }) => values === 'changed')
    .map(({ name }) => `what ${name} holds`);
  return [
    ...(refused('up').length === 0 ? [] : [`Going up refuses rows whose ${joinNames(refused('up'))}.`]),
    ...(changed.length === 0
      ? []
      : [`Going up changes ${joinNames(changed)}, where it doesn't fit the type.`]),
    ...(losses.up.length === 0 ? [] : [`Going up loses ${joinNames(losses.up)}.`]),
    losses.down.length === 0 ? 'Going back loses nothing' : `Going back loses ${joinNames(losses.down)}`,
  ]
    .map((line) =>
      line.startsWith('Going back') && changed.length + losses.up.length > 0
        ? `${line}${losses.down.length === 0 ? ' more' : ''}, and does not restore what going up lost.`
        : line.endsWith('.')
          ? line
          : `${line}.`,
    )
    .concat(
      refused('down').length === 0 ? [] : [`Going back refuses rows whose ${joinNames(refused('down'))}.`],
    );
}

/** The existing tables that a migration locks: those that it changes, and others that its new tables refer to. */
export interface LockedTables {
  readonly changed: readonly string[];
  readonly referred: readonly string[];
}

/** Returns the tables that a difference locks. `recomputed` are those with a generated column that the difference does not contain. */
export function lockedTables(
  { changedTables, newTables, removedTables }: SchemaDifference,
  renamed: ReadonlyMap<string, string>,
  recomputed: readonly string[],
): LockedTables {
  const made = Object.values(newTables);
  // By their names before.
  const changed = [
    ...new Set([
      ...renamed.values(),
      ...[...Object.values(changedTables).map(({ name }) => name), ...recomputed].map(
        (name) => renamed.get(short(name)) ?? short(name),
      ),
      ...Object.values(removedTables).map((table) => table.getShortestName()),
    ]),
  ];
  const known = new Set([...changed, ...renamed.keys(), ...made.map((table) => table.getShortestName())]);
  const referred = made
    .flatMap((table) => Object.values(table.getForeignKeys()))
    .map(({ referencedTableName }) => short(referencedTableName));
  return { changed, referred: [...new Set(referred)].filter((name) => !known.has(name)) };
}

/** Returns what a difference does to tables, as a sentence without its end; a difference of none is one of other objects. */
export function summaryOf(
  { newTables, changedTables, removedTables }: SchemaDifference,
  renamed: readonly string[],
  recomputed: readonly string[],
): string {
  const changed = new Set([...Object.values(changedTables).map(({ name }) => name), ...recomputed]);
  const parts = [
    ['creates', Object.values(newTables).map((table) => table.getShortestName())],
    ['changes', [...changed]],
    ['drops', Object.values(removedTables).map(({ name }) => name)],
  ] as const;
  const done = parts.flatMap(([verb, names]) => (names.length === 0 ? [] : [`${verb} ${joinNames(names)}`]));
  if (renamed.length > 0) done.unshift(`renames ${joinNames(renamed)}`);
  const text = done.length === 0 ? 'changes objects that are no tables' : done.join('; ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}`;
}

function ofTable(table: TableDifference): Warning[] {
  return [
    ...lostColumns(table).map((column) => lost(table, column)),
    ...requiredColumns(table).map(({ name }) => ({
      message: `${table.name}.${name} must not be null and has no default: rows that are there need a value first, ${fill(table, name)}`,
      about: [quotedTable(table), `"${name}" set not null`],
    })),
    ...Object.values(table.changedColumns).flatMap((change) => ofColumn(table, change)),
    ...ofRules(table),
    ...(table.changedPartitioning
      ? [
          {
            message: `recreates ${table.name}, because its partitioning differs`,
            about: [quotedTable(table)],
          },
        ]
      : []),
  ];
}

function ofRules(table: TableDifference): Warning[] {
  const found: Warning[] = [];
  for (const index of [...Object.values(table.addedIndexes), ...Object.values(table.changedIndexes)]) {
    const about = [`"${index.keyName}"`];
    if (index.unique && !isEmpty(table, index.columnNames)) {
      found.push({
        message: `fails where rows of ${table.name} share a value that ${index.keyName} wants unique: look for them first`,
        about,
      });
    }
    found.push({
      message: `${table.name} takes no writes while ${index.keyName} is built: where it is large, ${concurrently(index)}`,
      about,
      ofLock: true,
    });
  }
  for (const { name, columnName } of [
    ...Object.values(table.addedChecks),
    ...Object.values(table.changedChecks),
  ]) {
    if (columnName !== undefined && isEmpty(table, [columnName])) continue;
    found.push({
      message: `fails where rows of ${table.name} break ${name}: correct them first`,
      about: ['add constraint', `"${name}"`],
    });
  }
  for (const key of [...Object.values(table.addedForeignKeys), ...Object.values(table.changedForeignKeys)]) {
    if (isEmpty(table, key.columnNames)) continue;
    found.push({
      message: `fails where rows of ${table.name} refer to rows that ${short(key.referencedTableName)} has not: correct them first`,
      about: ['add constraint', `"${key.constraintName}"`],
    });
  }
  return found;
}

function ofColumn(
  table: TableDifference,
  { column, fromColumn, changedProperties }: TableDifference['changedColumns'][string],
): Warning[] {
  const of = `${table.name}.${column.name}`;
  const found: Warning[] = [];
  const altered = [quotedTable(table), `alter column "${column.name}"`];
  if (changedProperties.has('nullable') && !column.nullable) {
    found.push({
      message: `fails where ${of} is null: fill it first, ${fill(table, column.name)}`,
      about: [...altered, 'set not null'],
    });
  }
  const gone = (fromColumn.enumItems ?? []).filter((item) => column.enumItems?.includes(item) === false);
  if (column.nativeEnumName && gone.length > 0) {
    found.push({
      message: `${gone.join(', ')} of type ${column.nativeEnumName} can't be dropped from it: it stays`,
      about: [`"${column.nativeEnumName}"`],
    });
  }
  return found;
}

function lost(table: TableDifference, { name }: Column): Warning {
  return {
    message: `loses what ${table.name}.${name} holds`,
    about: [quotedTable(table), `drop column "${name}"`],
  };
}

// Dropping a generated column loses nothing.
function lostColumns({ removedColumns }: TableDifference): Column[] {
  return Object.values(removedColumns).filter(({ generated }) => !generated);
}

function short(table: string): string {
  return table.replace(/^public\./, '');
}

function fill(table: TableDifference, column: string): string {
  return `as by: update ${quotedTable(table)} set "${column}" = … where "${column}" is null`;
}

function concurrently({ unique, constraint, expression }: TableDifference['addedIndexes'][string]): string {
  const built = `create it ${unique ? 'unique, ' : ''}concurrently in a migration that is not transactional`;
  return constraint && expression === undefined ? `${built}, and add the constraint using that index` : built;
}

/** Whether existing rows have no value in one of these columns. */
function isEmpty({ addedColumns }: TableDifference, columns: readonly string[]): boolean {
  return columns.some((name) => {
    const added = addedColumns[name];
    return added?.nullable === true && (added.default === undefined || added.default === null);
  });
}
