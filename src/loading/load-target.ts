import type { EntityManager, EntityMetadata, EntityProperty } from '@mikro-orm/postgresql';
import type { BinaryType, CopiedValue } from '../postgres/copy/binary-rows.ts';
import { InvalidLoadError } from '../errors.ts';
import { ShapedJson } from '../json/shaped-json.ts';
import { copiedValues } from './copied-values.ts';

/** A column that rows are loaded into, and the property that it belongs to. */
export interface LoadColumn {
  readonly property: string;
  readonly name: string;
  readonly type: BinaryType;
  readonly nullable: boolean;
  /** What a row that leaves it out is given; null where it has to be given, or is NULL then. */
  readonly fill: (() => CopiedValue) | null;
  /** Checks a document's shape as a flush does. */
  readonly check: ((document: unknown) => void) | null;
}

/** A table that rows are loaded into, as its entity says. */
export interface LoadTarget {
  readonly entity: string;
  readonly schema: string | null;
  readonly table: string;
  readonly columns: readonly LoadColumn[];
  readonly primaryKey: readonly LoadColumn[];
  /** Counts a row's changes; null when the rows have no version. */
  readonly version: LoadColumn | null;
  /** The properties that are unique in the table together, the primary key first. */
  readonly uniques: readonly (readonly string[])[];
}

const types: Partial<Record<string, BinaryType>> = {
  text: 'text',
  int: 'integer',
  'double precision': 'double precision',
  timestamptz: 'timestamptz',
  jsonb: 'jsonb',
};

/** @throws InvalidLoadError when a column is of a type that can't be loaded yet. */
export function loadTarget(em: EntityManager, meta: EntityMetadata): LoadTarget {
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
      // One that is written as an expression may leave rows out.
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
      `${meta.className}.${prop.name} is of type ${prop.columnTypes.join(', ')}, which a load can't write`,
    );
  }
  const { customType } = prop;
  return {
    property: prop.name,
    name,
    type,
    nullable: prop.nullable ?? false,
    fill: fillOf(em, prop, type),
    check: customType instanceof ShapedJson ? (document) => customType.checkShape(document) : null,
  };
}

function fillOf(em: EntityManager, prop: EntityProperty, type: BinaryType): LoadColumn['fill'] {
  const { onCreate, default: given } = prop;
  if (onCreate) return () => copiedValues[type](onCreate({}, em));
  if (given == null) return null;
  const value = copiedValues[type](given);
  return () => value;
}

/** Whether no two rows have the same values in these properties. */
export function isUnique({ uniques }: LoadTarget, properties: readonly string[]): boolean {
  const names = new Set(properties);
  return uniques.some((unique) => unique.length === names.size && unique.every((name) => names.has(name)));
}
