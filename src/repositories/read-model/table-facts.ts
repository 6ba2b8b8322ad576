import type { EntityManager, EntityProperty } from '@mikro-orm/postgresql';
import { ExactDoubleType } from '../../wire/double-type.ts';
import { numberOfHex } from '../../wire/double.ts';
import { InstantType } from '../../wire/instant-type.ts';
import { dateOfHex, textOfHex } from '../../wire/instant.ts';

/** How a column whose text depends on settings of the session is selected, shown, and written into a cursor. */
export interface ExactForm {
  /** PostgreSQL's function for its binary form, which has eight bytes: 16 hexadecimal digits. */
  readonly send: string;
  /** Returns the value whose digits begin at `start`, 0 by default. */
  readonly show: (hex: string, start?: number) => unknown;
  readonly text: (hex: string) => string;
}

const instant: ExactForm = { send: 'timestamptz_send', show: dateOfHex, text: textOfHex };
const double: ExactForm = {
  send: 'float8send',
  show: numberOfHex,
  text: (hex) => String(numberOfHex(hex)),
};

/** What the ORM knows of a table. */
export interface TableFacts {
  /** The name of its entity. */
  readonly entity: string;
  /** The column of its key, the first one if it has several. */
  readonly key: string;
  readonly nullable: ReadonlySet<string>;
  readonly exact: ReadonlyMap<string, ExactForm>;
}

const known = new Map<string, TableFacts>();

/** Returns what the ORM knows of a table. */
export function factsOf(em: EntityManager, table: string): TableFacts {
  const found = known.get(table) ?? read(em, table);
  known.set(table, found);
  return found;
}

function read(em: EntityManager, table: string): TableFacts {
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
    entity: meta.className,
    key: columns.find(({ property }) => property.primary)?.column ?? 'id',
    nullable: new Set(columns.filter(({ property }) => property.nullable).map(({ column }) => column)),
    exact: new Map(exact),
  };
}
