import type { EntityManager, EntityProperty } from '@mikro-orm/postgresql';
import { ExactDoubleType } from '../../wire/double-type.ts';
import { numberOfHex } from '../../wire/double.ts';
import { InstantType } from '../../wire/instant-type.ts';
import { dateOfHex, textOfHex } from '../../wire/instant.ts';

/** The number of hexadecimal digits of each exact form. */
export const hexDigits = 16;

/** The exact form of a column whose text depends on settings of the session: its function, its value, and its text in a cursor. */
export interface ExactForm {
  /** PostgreSQL's function for its binary form, which has eight bytes. */
  readonly send: string;
  /** Returns the value whose digits begin at `start`, 0 by default. */
  readonly value: (hex: string, start?: number) => unknown;
  readonly text: (hex: string) => string;
}

const instant: ExactForm = { send: 'timestamptz_send', value: dateOfHex, text: textOfHex };
const double: ExactForm = {
  send: 'float8send',
  value: numberOfHex,
  text: (hex) => String(numberOfHex(hex)),
};

/** The ORM's metadata of a table, by columns. */
export interface TableMetadata {
  readonly name: string;
  readonly entityName: string;
  /** The column of its key, the first one of a composite key. */
  readonly key: string;
  readonly nullable: ReadonlySet<string>;
  readonly exact: ReadonlyMap<string, ExactForm>;
}

const cache = new Map<string, TableMetadata>();

/** Returns the ORM's metadata of a table. */
export function metadataOf(em: EntityManager, table: string): TableMetadata {
  const metadata = cache.get(table) ?? readMetadata(em, table);
  cache.set(table, metadata);
  return metadata;
}

function readMetadata(em: EntityManager, table: string): TableMetadata {
  const meta = [...em.getMetadata()].find(({ tableName }) => tableName === table);
  if (!meta) throw new Error(`no entity has the table ${table}`);
  const columns = meta.props.flatMap((property: EntityProperty) =>
    (property.fieldNames ?? []).map((column) => ({ column, property })),
  );
  const exact = columns.flatMap(({ column, property: { customType } }) => {
    if (customType instanceof InstantType) return [[column, instant] as const];
    return customType instanceof ExactDoubleType ? [[column, double] as const] : [];
  });
  return {
    name: table,
    entityName: meta.className,
    key: columns.find(({ property }) => property.primary)?.column ?? 'id',
    nullable: new Set(columns.filter(({ property }) => property.nullable).map(({ column }) => column)),
    exact: new Map(exact),
  };
}
