import { differences } from '../catalog/differences.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** An existing object that a migration creates and no applied migration created. */
export interface Leftover {
  /** Kind and name, such as `function touch()`. */
  readonly object: string;
  /** The column, constraint, index or other part of an object of applied migrations; null for the object itself. */
  readonly part: string | null;
}

/** Returns the objects that are new in `after` and exist in the database. */
export function leftoversBetween(before: Catalog, after: Catalog, found: Catalog): Leftover[] {
  return [...after].flatMap(([object, made]): Leftover[] => {
    const present = found.get(object);
    if (!present) return [];
    const known = before.get(object);
    if (!known) return [{ object, part: null }];
    return [...made.parts.keys()]
      .filter((part) => !known.parts.has(part) && present.parts.has(part))
      .map((part) => ({ object, part }));
  });
}

/** Whether dropping it would lose rows or a value. */
export function holdsData({ object }: Leftover): boolean {
  return /^(?:table|foreign table|materialized view|sequence) /.test(object);
}

// A sequence has a value, a table and a materialized view have rows, and other objects may use an extension.
const stateless = /^(?:function|procedure|aggregate|view|type|schema|collation) /;

/** Whether an object has no data, and the database's definition of it equals that of the migrations. */
export function isReplaceable(object: string, made: Catalog, found: Catalog): boolean {
  const [one, other] = [made.get(object), found.get(object)];
  if (!one || !other || !stateless.test(object)) return false;
  return differences(new Map([[object, one]]), new Map([[object, other]])).length === 0;
}
