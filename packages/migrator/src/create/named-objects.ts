import type { Catalog, CatalogObject } from '../catalog/catalog.ts';
import { identifiersOf } from '../catalog/ignored-objects.ts';

/** A table or type of a catalog. */
export interface NamedObject {
  /** Kind and name, as in the catalog. */
  readonly key: string;
  readonly kind: 'table' | 'type';
  readonly schema: string;
  readonly name: string;
  readonly object: CatalogObject;
}

/** Returns the tables and types of a catalog. */
export function namedObjects(catalog: Catalog): NamedObject[] {
  return [...catalog].flatMap(([key, object]): NamedObject[] => {
    const [, kind, printed = ''] = /^(table|type) (.*)$/s.exec(key) ?? [];
    if (kind !== 'table' && kind !== 'type') return [];
    const identifiers = identifiersOf(printed);
    const [schema = '', name = ''] = identifiers.length > 1 ? identifiers : ['public', ...identifiers];
    return [{ key, kind, schema, name, object }];
  });
}

/** Returns a name as people write it: without quotes, and without `public`. */
export function shortName({
  schema,
  name,
}: {
  readonly schema?: string | undefined;
  readonly name: string;
}): string {
  return schema === undefined || schema === 'public' ? name : `${schema}.${name}`;
}

/** Returns a name for SQL, in the ORM's form. */
export function quotedName({ schema, name }: Pick<NamedObject, 'schema' | 'name'>): string {
  return schema === 'public' ? quoted(name) : `${quoted(schema)}.${quoted(name)}`;
}

/** Returns an identifier for SQL. */
export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`;
}

/** Returns the columns of a table with their types, as PostgreSQL prints them. */
export function columnTypes({ object }: Pick<NamedObject, 'object'>): Map<string, string> {
  return new Map(object.columns.map((name) => [name, object.parts.get(`column ${name}`)?.['type'] ?? '']));
}

/** Returns a type without its length or precision. */
export function baseType(type: string): string {
  return type.replaceAll(/\([\d,]+\)/g, '');
}
