import type { Catalog, CatalogFacts, CatalogObject } from '../catalog/catalog.ts';
import { withoutName } from '../entities/comparable.ts';
import { namedObjects, quoted, quotedName, type NamedObject } from './named-objects.ts';
import type { ReversibleStatement } from './reversible-statement.ts';

const kinds = ['constraint', 'index', 'sequence'] as const;

/**
 * Returns the statements that give indexes, constraints and sequences of tables the names that the entities use, where PostgreSQL prints
 * both alike apart from their names.
 */
export function renamedParts(
  made: Catalog,
  described: Catalog,
  tables: ReadonlySet<string>,
): ReversibleStatement[] {
  return namedObjects(made)
    .filter(({ key }) => tables.has(key))
    .flatMap((table) => {
      const target = described.get(table.key);
      return target ? kinds.flatMap((kind) => renamesOf(kind, table, target)) : [];
    });
}

function renamesOf(
  kind: (typeof kinds)[number],
  table: NamedObject,
  target: CatalogObject,
): ReversibleStatement[] {
  const [old, next] = [partsOf(kind, table.object, target), partsOf(kind, target, table.object)];
  return old.flatMap(([from, text]) => {
    const found = next.filter(([, other]) => other === text);
    const [to] = found[0] ?? [];
    if (to === undefined || found.length > 1 || old.filter(([, other]) => other === text).length > 1)
      return [];
    return [{ up: rename(kind, table, from, to), down: rename(kind, table, to, from) }];
  });
}

/** Returns the parts that the other table lacks, by their names, with what PostgreSQL prints of them. */
function partsOf(kind: string, { parts }: CatalogObject, other: CatalogObject): [string, string][] {
  return [...parts].flatMap(([part, facts]): [string, string][] =>
    part.startsWith(`${kind} `) && !other.parts.has(part)
      ? [[part.slice(kind.length + 1), textOf(kind, facts)]]
      : [],
  );
}

function textOf(kind: string, facts: CatalogFacts): string {
  if (kind === 'sequence') return facts['owned by'] ?? '';
  return withoutName(facts['definition'] ?? '');
}

// The names of parts are quoted where they need it.
function rename(kind: (typeof kinds)[number], table: NamedObject, from: string, to: string): string {
  const [old, next] = [from, to].map((name) => (name.startsWith('"') ? name : `"${name}"`));
  if (kind === 'constraint') return `alter table ${quotedName(table)} rename constraint ${old} to ${next}`;
  const prefix = table.schema === 'public' ? '' : `${quoted(table.schema)}.`;
  return `alter ${kind} ${prefix}${old} rename to ${next}`;
}
