import { differences } from '../catalog/differences.ts';
import type { Catalog } from '../catalog/catalog.ts';

/** An object that a migration creates and that exists already, though no applied migration created it. */
export interface Leftover {
  /** Kind and name, such as `function touch()`. */
  readonly object: string;
  /** The column, constraint, index or other part of an object of applied migrations; null for the object itself. */
  readonly part: string | null;
}

/** Returns what was created between two catalogs and is also in the database. */
export function leftoversBetween(before: Catalog, after: Catalog, found: Catalog): Leftover[] {
  return [...after].flatMap(([object, made]): Leftover[] => {
    const there = found.get(object);
    if (!there) return [];
    const known = before.get(object);
    if (!known) return [{ object, part: null }];
    return [...made.parts.keys()]
      .filter((part) => !known.parts.has(part) && there.parts.has(part))
      .map((part) => ({ object, part }));
  });
}

/** Whether it holds rows or a value, which dropping it would lose. */
export function holdsData({ object }: Leftover): boolean {
  return /^(?:table|foreign table|materialized view|sequence) /.test(object);
}

// A sequence has a value, a table and a materialized view have rows, and an extension brings what others may use.
const stateless = /^(?:function|procedure|aggregate|view|type|schema|collation) /;

/** Whether an object has no data, and the database's definition of it equals that of the migrations. */
export function isReplaceable(object: string, made: Catalog, found: Catalog): boolean {
  const [one, other] = [made.get(object), found.get(object)];
  if (!one || !other || !stateless.test(object)) return false;
  return differences(new Map([[object, one]]), new Map([[object, other]])).length === 0;
}
