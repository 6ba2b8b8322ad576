import { resolvedType, type Column, type TableCatalog, type ValueType } from './tables.ts';
import { isText, lengthOf } from './values.ts';

/** What the values of a column are like, as far as it decides how long work on them takes. */
export interface ColumnShape {
  /** The share of NULLs, from 0 to 1. */
  readonly nullFraction: number;
  /** How many different values it has; negative for a share of the rows, from -1 for all different to 0. */
  readonly distinct: number;
  /** The average size of a value in bytes; null for that of its type. */
  readonly width: number | null;
  /** Whether its values ascend in the order of the rows. */
  readonly isOrdered: boolean;
}

interface Shaping {
  readonly tables: TableCatalog;
  readonly column: Column;
  /** The column on the other side of the migration; undefined where it has none. */
  readonly other: Column | undefined;
  readonly otherTables: TableCatalog;
  readonly shape: ColumnShape;
  /** How many rows the table has. */
  readonly rows: number;
}

/** The most bytes of a generated value: longer ones would be compressed, or stored apart. */
export const longest = 1_900;

/** Returns an expression for the value of a column in row number `n`, from 1; null for a type whose values are not known. */
export function shapedValue({ tables, column, other, otherTables, shape, rows }: Shaping): string | null {
  const { type, modifier } = resolvedType(tables, column.type, column.modifier);
  // A domain has checks.
  if (!type || type.kind !== 'b' || tables.types.get(column.type)?.kind === 'd' || type.isArray) return null;
  const salt = Buffer.from(column.name).reduce((sum, byte) => (sum * 31 + byte) % 65_521, 7);
  const different = shape.distinct < 0 ? -shape.distinct * rows : shape.distinct;
  const distinct = Math.max(1, Math.min(Math.round(different), rows));
  const hashed = `((n + ${salt}) * 2654435761 % 4294967296)`;
  const place = shape.isOrdered ? `(n * ${distinct} / ${rows})` : `(${hashed} % ${distinct})`;
  const next = other && resolvedType(otherTables, other.type, other.modifier);
  const width = shape.width ?? 16;
  const length = lengthOf(type, modifier);
  const own = valueOf(type, { place, width, length, modifier, isOrdered: shape.isOrdered });
  if (own === null) return null;
  const value =
    next?.type && next.type.base !== type.base
      ? converted(type.base, isText(type), next.type.base, place, own)
      : isText(type) && next?.type
        ? shortened(own, lengthOf(next.type, next.modifier))
        : own;
  if (value === null) return null;
  const typed = `(${value})::${column.declared}`;
  // The other column must have a value where it allows no NULL.
  if (shape.nullFraction <= 0 || column.notNull) return typed;
  return `case when ((n + ${salt}) * 40503 % 10007) < ${Math.round(shape.nullFraction * 10_007)} then null else ${typed} end`;
}

const numbers: ReadonlySet<string> = new Set(['int2', 'int4', 'int8', 'numeric', 'float4', 'float8']);

/** Returns a value that a conversion to another type accepts. */
function converted(base: string, text: boolean, next: string, place: string, own: string): string | null {
  if (numbers.has(base)) return next === 'int2' ? `${place} % 30000` : own;
  if (!text) return own;
  if (['text', 'varchar', 'bpchar'].includes(next)) return own;
  return numbers.has(next) ? `(${place} % 30000)::text` : null;
}

function shortened(own: string, length: number | null): string {
  return length === null ? own : `left(${own}, ${length})`;
}

interface Value {
  readonly place: string;
  readonly width: number;
  readonly length: number | null;
  readonly modifier: number;
  readonly isOrdered: boolean;
}

function valueOf(type: ValueType, { place, width, length, modifier, isOrdered }: Value): string | null {
  const { base } = type;
  const first = isOrdered ? `lpad(to_hex(${place}), 8, '0') || ` : '';
  if (isText(type)) {
    // The header of a short text is a byte.
    const size = Math.max(1, Math.min(width - 1, longest, length ?? longest));
    return `left(${first}repeat(md5(${place}::text), ${Math.ceil(size / 32)}), ${size})`;
  }
  switch (base) {
    case 'int2':
      return `${place} % 30000`;
    case 'int4':
    case 'int8':
    case 'float4':
    case 'float8':
      return place;
    case 'numeric':
      return `${place} % ${10n ** BigInt(wholeDigits(modifier))}`;
    case 'bool':
      return `${place} % 2 = 0`;
    case 'date':
      return `date '2000-01-01' + (${place} % 10000)::int`;
    case 'timestamp':
    case 'timestamptz':
      return `${base} '2000-01-01' + ${place} * interval '1 second'`;
    case 'uuid':
      return `left(${first}md5(${place}::text), 32)::uuid`;
    case 'bytea':
      return `decode(repeat(md5(${place}::text), ${Math.ceil(Math.min(width, longest) / 16)}), 'hex')`;
    case 'jsonb':
    case 'json':
      return `${base}_build_object('n', ${place}${jsonText(place, Math.min(width, longest))})`;
    default:
      return null;
  }
}

/** Returns a second member that makes an object as wide as it shall be; nothing for a small one. */
function jsonText(place: string, width: number): string {
  // What the object and its names take.
  const rest = Math.round(width - 50);
  return rest <= 0 ? '' : `, 'text', left(repeat(md5(${place}::text), ${Math.ceil(rest / 32)}), ${rest})`;
}

/** Returns how many digits a numeric may have before the point. */
function wholeDigits(modifier: number): number {
  if (modifier < 4) return 9;
  const precision = (modifier - 4) >> 16;
  const scale = (modifier - 4) & 2047;
  return Math.max(0, Math.min(9, precision - scale));
}
