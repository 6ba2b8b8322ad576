import { quoteIdentifier, type RowValues } from '../rows/row.ts';
import type { Table } from '../rows/tables.ts';
import type { RequestStatement } from './sending/planned-request.ts';

const listed = 20;

/** Returns the statement that reads some rows, with every column by its name. */
export function listStatement(table: Table): RequestStatement {
  const order = keyOf(table).map(({ expression }) => expression);
  return plain(`select ${columnsOf(table)} from ${table.name} order by ${order.join(', ')} limit ${listed}`);
}

/** Returns the statement that writes every column of one row back as it is; null where no column can be set. */
export function rewriteStatement(table: Table): RequestStatement | null {
  const keys = new Set(keyOf(table).map(({ expression }) => expression));
  const set = table.columns
    .filter(({ isGenerated, isIdentity }) => !isGenerated && !isIdentity)
    .map(({ name }) => quoteIdentifier(name))
    .filter((name) => !keys.has(name))
    .map((name) => `${name} = ${name}`);
  if (set.length === 0) return null;
  const key = keyOf(table).map(({ expression }) => expression);
  return plain(
    `update ${table.name} set ${set.join(', ')} where (${key.join(', ')}) = (select ${key.join(', ')} from ${table.name} order by ${key.join(', ')} limit 1)`,
  );
}

/** Returns the statements that insert a row, set what is no part of a key to the values of another, select all its columns and delete it. */
export function writeStatements(table: Table, row: RowValues, other: RowValues): RequestStatement[] {
  const key = keyOf(table);
  const returning = ` returning ${key.map(({ expression }) => `${expression}::text`).join(', ')}`;
  const where = (from: number): string =>
    ` where ${key.map(({ expression, cast }, index) => `${expression} = $${from + index}${cast}`).join(' and ')}`;
  const named = [...row.keys()];
  const values = named.map((_, index) => `$${index + 1}`);
  const inserted =
    named.length === 0
      ? 'default values'
      : `(${named.map(quoteIdentifier).join(', ')}) values (${values.join(', ')})`;
  const inKeys = new Set(
    [...table.keys, ...table.foreignKeys].flatMap((one) => [
      ...one.columns,
      ...('others' in one ? one.others : []),
    ]),
  );
  const set = named.filter((name) => !inKeys.has(name));
  const update: RequestStatement[] =
    set.length === 0
      ? []
      : [
          {
            text: `update ${table.name} set ${set.map((name, index) => `${quoteIdentifier(name)} = $${index + 1}`).join(', ')}${where(set.length + 1)}${returning}`,
            values: set.map((name) => other.get(name) ?? null),
            usesKey: true,
            returnsKey: true,
          },
        ];
  return [
    {
      text: `insert into ${table.name} ${inserted}${returning}`,
      values: [...row.values()],
      usesKey: false,
      returnsKey: true,
    },
    ...update,
    { ...plain(`select ${columnsOf(table)} from ${table.name}${where(1)}`), usesKey: true },
    { ...plain(`delete from ${table.name}${where(1)}`), usesKey: true },
  ];
}

function plain(text: string): RequestStatement {
  return { text, values: [], usesKey: false, returnsKey: false };
}

function columnsOf({ columns }: Table): string {
  return columns.map(({ name }) => quoteIdentifier(name)).join(', ');
}

interface KeyPart {
  readonly expression: string;
  /** For its parameter; empty where the column's type is enough. */
  readonly cast: string;
}

/** Returns what identifies a row: its primary key, another key of columns that are required, or where it is stored. */
function keyOf({ keys, columns }: Table): readonly KeyPart[] {
  const isRequired = (name: string): boolean =>
    columns.some((column) => column.name === name && column.notNull);
  const usable = keys.filter(
    ({ isPartial, isExclusion, others, columns: own }) =>
      !isPartial && !isExclusion && others.length === 0 && own.length > 0 && own.every(isRequired),
  );
  const key = usable.find(({ isPrimary }) => isPrimary) ?? usable[0];
  if (!key)
    return [
      { expression: 'tableoid', cast: '::oid' },
      { expression: 'ctid', cast: '::tid' },
    ];
  return key.columns.map((name) => ({ expression: quoteIdentifier(name), cast: '' }));
}
