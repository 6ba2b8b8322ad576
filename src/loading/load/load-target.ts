import type { EntityManager, EntityMetadata, EntityProperty } from '@mikro-orm/postgresql';
import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import { InvalidLoadError } from '../../errors.ts';
import { ShapedJson } from '../../json/shaped-json.ts';
import { copyEncoders } from './copy-encoders.ts';

/** A column that rows are loaded into, with the property that it stores. */
export interface LoadColumn {
  readonly property: string;
  readonly name: string;
  readonly type: BinaryType;
  readonly nullable: boolean;
  /** The parent whose key the column holds; null for others, and for those that reference their own table, whose rows may come later. */
  readonly references: Reference | null;
  /** Makes the value for a row that leaves the property out; null where there is no default. */
  readonly defaultValue: (() => CopiedValue) | null;
  /** Checks a document's shape as a flush does; null for columns without a shape. Throws `InvalidJsonError`. */
  readonly validate: ((document: unknown) => void) | null;
}

/** The key of a parent. */
interface Reference {
  readonly entity: string;
  readonly schema: string | null;
  readonly table: string;
  readonly column: string;
}

/** A table that rows are loaded into, as its entity declares it. */
export interface LoadTarget {
  readonly entity: string;
  readonly schema: string | null;
  readonly table: string;
  readonly columns: readonly LoadColumn[];
  readonly primaryKey: readonly LoadColumn[];
  /** The column of the optimistic lock's version; null when the entity has none. */
  readonly version: LoadColumn | null;
  /** The sets of properties with a unique constraint, the primary key first. */
  readonly uniques: readonly (readonly string[])[];
}

const types: Partial<Record<string, BinaryType>> = {
  text: 'text',
  int: 'integer',
  'double precision': 'double precision',
  timestamptz: 'timestamptz',
  jsonb: 'jsonb',
};

/**
 * Returns the table and columns of an entity.
 *
 * @throws InvalidLoadError when a column has a type that can't be loaded, or a property has several columns.
 */
export function describeTarget(em: EntityManager, meta: EntityMetadata): LoadTarget {
  const columns = meta.props
    .filter(({ fieldNames, persist }) => fieldNames?.length > 0 && persist !== false)
    .map((prop) => loadColumn(em, meta, prop));
  const version = columns.find(({ property }) => property === meta.versionProperty) ?? null;
  return {
    entity: meta.className,
    schema: meta.schema ?? null,
    table: meta.tableName,
    columns,
    primaryKey: columns.filter(({ property }) => meta.primaryKeys.some((key) => key === property)),
    version,
    uniques: [
      meta.primaryKeys,
      ...meta.props.filter(({ unique }) => unique).map(({ name }) => [name]),
      // A unique index with an expression or a condition may not cover every row.
      ...meta.uniques.flatMap(({ properties = [], expression, where }) =>
        expression === undefined && where === undefined ? [[properties].flat()] : [],
      ),
    ],
  };
}

function loadColumn(em: EntityManager, meta: EntityMetadata, prop: EntityProperty): LoadColumn {
  const [name = '', ...others] = prop.fieldNames;
  const [columnType = ''] = prop.columnTypes;
  const type = types[columnType.replace(/\(\d+\)$/, '')];
  if (type === undefined || others.length > 0) {
    throw new InvalidLoadError(
      `${meta.className}.${prop.name} has the unsupported type ${prop.columnTypes.join(', ')}; supported: ${Object.keys(types).join(', ')}`,
    );
  }
  const { customType } = prop;
  return {
    property: prop.name,
    name,
    type,
    nullable: prop.nullable ?? false,
    references: referenceOf(meta, prop),
    defaultValue: defaultValueOf(em, prop, type),
    validate: customType instanceof ShapedJson ? (document) => customType.checkShape(document) : null,
  };
}

function referenceOf(
  meta: EntityMetadata,
  { targetMeta, referencedColumnNames }: EntityProperty,
): Reference | null {
  const [column, ...others] = referencedColumnNames ?? [];
  if (!targetMeta || column === undefined || others.length > 0) return null;
  // By name: what a relation refers to is a copy.
  if (targetMeta.className === meta.className) return null;
  const { className, schema = null, tableName } = targetMeta;
  return { entity: className, schema, table: tableName, column };
}

function defaultValueOf(
  em: EntityManager,
  prop: EntityProperty,
  type: BinaryType,
): LoadColumn['defaultValue'] {
  const { onCreate, default: given } = prop;
  if (onCreate) return () => copyEncoders[type](onCreate({}, em));
  if (given == null) return null;
  const value = copyEncoders[type](given);
  return () => value;
}

/** Whether a unique constraint of the table covers exactly these properties. */
export function isUnique({ uniques }: LoadTarget, properties: readonly string[]): boolean {
  const names = new Set(properties);
  return uniques.some((unique) => unique.length === names.size && unique.every((name) => names.has(name)));
}
