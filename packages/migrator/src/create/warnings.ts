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
  /** What the migration has to declare for it; absent where it loses and refuses no values. */
  readonly effect?: ValueEffect;
}

/** What a direction does to values of a table or column. */
export interface ValueEffect {
  readonly kind: 'loses' | 'refuses';
  /** The quoted name. */
  readonly table: string;
  /** Null for the table. */
  readonly column: string | null;
  /** As the end of a sentence: `drops the table`. */
  readonly why: string;
}

type Column = TableDifference['addedColumns'][string];

/** Returns warnings for differences that change, lose or constrain rows. */
export function warningsOf(difference: SchemaDifference): Warning[] {
  return [
    ...Object.values(difference.removedTables).map((table): Warning => ({
      message: `loses the rows of ${table.name}`,
      about: ['drop table', `"${table.name}"`],
      effect: { kind: 'loses', table: table.getQuotedName(), column: null, why: 'drops the table' },
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
      return [
        {
          message: `${becomes}, and changes the values that don't fit`,
          about: typed,
          effect: { kind: 'loses', table, column, why: `changes values that ${to} does not hold` },
        },
      ];
    if (values === 'refused') {
      const remedy =
        direction === 'up' ? `correct them first, or create it with --lossy ${name}` : 'correct them first';
      return [
        {
          message: `${becomes}: fails on rows whose value would change: ${remedy}`,
          about,
          effect: { kind: 'refuses', table, column, why: `refuses values that ${to} does not hold` },
        },
      ];
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

function ofTable(table: TableDifference): Warning[] {
  return [
    ...lostColumns(table).map((column) => lost(table, column)),
    ...requiredColumns(table).map(({ name }): Warning => ({
      message: `${table.name}.${name} must not be null and has no default: rows that are there need a value first, ${fill(table, name)}`,
      about: [quotedTable(table), `"${name}" set not null`],
      effect: refusing(table, [name], 'requires a value'),
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
        effect: refusing(table, index.columnNames, `makes ${index.keyName} unique`),
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
      effect: refusing(table, columnName === undefined ? [] : [columnName], `adds the check ${name}`),
    });
  }
  for (const key of [...Object.values(table.addedForeignKeys), ...Object.values(table.changedForeignKeys)]) {
    if (isEmpty(table, key.columnNames)) continue;
    found.push({
      message: `fails where rows of ${table.name} refer to rows that ${short(key.referencedTableName)} has not: correct them first`,
      about: ['add constraint', `"${key.constraintName}"`],
      effect: refusing(table, key.columnNames, `adds the foreign key ${key.constraintName}`),
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
      effect: refusing(table, [column.name], 'requires a value'),
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
    effect: { kind: 'loses', table: quotedTable(table), column: name, why: 'drops the column' },
  };
}

// Of several columns, the first stands for the constraint.
function refusing(table: TableDifference, [column]: readonly string[], why: string): ValueEffect {
  const isColumn = column !== undefined && table.toTable.getColumn(column) !== undefined;
  return { kind: 'refuses', table: quotedTable(table), column: isColumn ? column : null, why };
}

/** Returns the columns whose values a difference drops. Those of a generated column are no loss. */
export function lostColumns({ removedColumns }: TableDifference): Column[] {
  return Object.values(removedColumns).filter(({ generated }) => !generated);
}

/** Returns a table's name without `public`. */
export function short(table: string): string {
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
