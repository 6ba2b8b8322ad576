import { JsonType, ReferenceKind, type EntityMetadata, type EntityProperty } from '@mikro-orm/core';

/** The values of the properties that histories change. */
export type RowState = Readonly<Record<string, unknown>>;

/** The changes of a property of each type. Each change stays visible in the value, and also the order of changes where it matters. */
export type Kind = 'integer' | 'double' | 'text' | 'document';

export interface Tracked {
  readonly property: string;
  readonly column: string;
  readonly kind: Kind;
}

/** The properties that histories change: numbers, free text and documents that hold an object. Derived from the metadata. */
export function trackedOf(meta: EntityMetadata, row: object): Tracked[] {
  return meta.props.flatMap((prop) => {
    const [column] = prop.fieldNames ?? [];
    const kind = kindOf(prop, Reflect.get(row, prop.name));
    return column === undefined || kind === null ? [] : [{ property: prop.name, column, kind }];
  });
}

function kindOf(prop: EntityProperty, value: unknown): Kind | null {
  if (prop.primary || prop.version || prop.kind !== ReferenceKind.SCALAR || prop.enum) return null;
  if (prop.customType instanceof JsonType) return isObject(value) ? 'document' : null;
  const [type] = prop.columnTypes;
  if (type === 'int') return 'integer';
  if (type === 'double precision') return 'double';
  return type === 'text' ? 'text' : null;
}

/** Returns the values of the tracked properties of `row`. */
export function stateOf(tracked: readonly Tracked[], row: object): RowState {
  const held = tracked.map(({ property }) => [property, Reflect.get(row, property) ?? null]);
  return structuredClone(Object.fromEntries(held));
}

/** Returns a value with the change `token`. */
export function changed(kind: Kind, value: unknown, token: number): unknown {
  if (kind === 'integer') return Number(value) + token;
  if (kind === 'double') return Number(value ?? 0) + fraction(token);
  if (kind === 'text') return `${typeof value === 'string' ? value : ''}${letter(token)}`;
  return { ...(isObject(value) ? value : {}), [`change ${token}`]: true };
}

/** Returns the SQL that makes the same change to the current value of a column. */
export function changedInSql(
  { column, kind }: Tracked,
  token: number,
): readonly [sql: string, value: unknown] {
  if (kind === 'integer') return [`"${column}" + ?`, token];
  if (kind === 'double') return [`coalesce("${column}", 0) + ?`, fraction(token)];
  if (kind === 'text') return [`coalesce("${column}", '') || ?`, letter(token)];
  return [`"${column}" || ?::jsonb`, JSON.stringify({ [`change ${token}`]: true })];
}

/** Returns a number that depends on a value, for changes that depend on another row. */
export function measure(value: unknown): number {
  if (typeof value === 'number') return Math.round(value * 2 ** 20) % 89;
  if (typeof value === 'string') return value.length;
  return isObject(value) ? Object.keys(value).length : 0;
}

// Small enough for columns with a maximum of 1.
const fraction = (token: number): number => token / 2 ** 20;

// Short, because some columns have at most 30 characters.
const letter = (token: number): string => String.fromCodePoint(0x4e_00 + token);

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
