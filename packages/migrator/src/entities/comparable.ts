import type { MikroORM } from '@mikro-orm/postgresql';
import type { Catalog, CatalogFacts, CatalogObject } from '../catalog/catalog.ts';

/** Facts that entities describe, by the kind of an object or a part. What they can't describe is not compared. */
const facts: Readonly<Record<string, readonly string[]>> = {
  table: ['comment', 'row security', 'partitioned by'],
  view: ['definition'],
  'materialized view': ['definition'],
  type: ['kind', 'values'],
  column: ['type', 'not null', 'default', 'generated', 'identity', 'collation', 'comment'],
  constraint: ['definition'],
  index: ['definition'],
  trigger: ['definition'],
  policy: ['for', 'is', 'roles', 'using', 'check'],
};

/** The facts that a column's `ignoreSchemaChanges` excludes. */
const ignorable: Readonly<Record<string, readonly string[]>> = {
  type: ['type'],
  default: ['default'],
  collation: ['collation'],
  extra: ['generated', 'identity'],
};

/** Returns the catalogs of the entities and of the migrations, with what can be compared: what entities describe. */
export function comparable(
  orm: MikroORM,
  described: Catalog,
  made: Catalog,
): { readonly expected: Catalog; readonly found: Catalog } {
  const ignored = ignoredFacts(orm);
  const { ignoreTriggers = false } = orm.config.get('schemaGenerator');
  const isDescribed = (object: string, part: string, fact: string) =>
    !ignored.has(`${object} ${part} ${fact}`) && !(ignoreTriggers && part.startsWith('trigger '));
  const expected = new Map<string, CatalogObject>();
  const found = new Map<string, CatalogObject>();
  for (const [object, needed] of described) {
    const kind = /^(?:materialized )?\w+/.exec(object)?.[0] ?? '';
    expected.set(object, reduced(kind, object, needed, isDescribed));
    const existing = made.get(object);
    if (existing) {
      found.set(
        object,
        withDescribedFacts(needed, matching(needed, reduced(kind, object, existing, isDescribed))),
      );
    }
  }
  return { expected, found };
}

function reduced(
  kind: string,
  object: string,
  { facts: own, parts }: CatalogObject,
  isDescribed: (object: string, part: string, fact: string) => boolean,
): CatalogObject {
  const kept = [...parts].flatMap(([part, values]): [string, CatalogFacts][] => {
    const [kindOfPart = ''] = part.split(' ', 1);
    return kindOfPart in facts && isDescribed(object, part, '')
      ? [[part, picked(kindOfPart, values, (fact) => isDescribed(object, part, fact))]]
      : [];
  });
  // The order of columns is not described: a migration adds them at the end.
  return { facts: picked(kind, own, () => true), parts: new Map(kept), columns: [] };
}

function picked(kind: string, values: CatalogFacts, isKept: (fact: string) => boolean): CatalogFacts {
  const names = new Set((facts[kind] ?? []).filter(isKept));
  return Object.fromEntries(
    Object.entries(values)
      .filter(([fact]) => names.has(fact))
      .map(([fact, value]) => [fact, fact === 'default' ? withoutSequence(value) : value]),
  );
}

// A renamed table keeps the name of its sequence.
function withoutSequence(value: string): string {
  return value.replace(/^nextval\(.*\)$/, 'nextval(…)');
}

/** Facts that an entity without them says nothing about: a migration may have its own. */
const optional: ReadonlySet<string> = new Set(['comment', 'row security']);

function withDescribedFacts(
  needed: CatalogObject,
  { facts: own, parts, columns }: CatalogObject,
): CatalogObject {
  return {
    facts: describedFacts(needed.facts, own),
    parts: new Map(
      [...parts].map(([part, values]) => [part, describedFacts(needed.parts.get(part), values)]),
    ),
    columns,
  };
}

function describedFacts(described: CatalogFacts | undefined, values: CatalogFacts): CatalogFacts {
  return Object.fromEntries(
    Object.entries(values).filter(([fact]) => !optional.has(fact) || described?.[fact] !== undefined),
  );
}

/** Keeps the parts that are needed, also under another name: names are for the ORM's comparison. Others are not described. */
function matching(needed: CatalogObject, { facts: own, parts }: CatalogObject): CatalogObject {
  const spare = [...parts].filter(([part]) => !needed.parts.has(part));
  const kept = [...needed.parts].flatMap(([part, values]): [string, CatalogFacts][] => {
    const existing = parts.get(part);
    if (existing) return [[part, existing]];
    const renamed = /^(?:column|trigger|policy) /.test(part)
      ? undefined
      : spare.find(
          ([other, { definition }]) =>
            other.split(' ', 1)[0] === part.split(' ', 1)[0] &&
            definition !== undefined &&
            withoutName(definition) === withoutName(values['definition'] ?? ''),
        );
    return renamed ? [[part, { ...renamed[1], definition: values['definition'] ?? '' }]] : [];
  });
  return { facts: own, parts: new Map(kept), columns: [] };
}

/** Returns the definition of an index, as PostgreSQL prints it, without its name. */
export function withoutName(definition: string): string {
  return definition.replace(/^(CREATE (?:UNIQUE )?INDEX) (?:"(?:[^"]|"")+"|\S+)/, '$1');
}

function quoted(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

function ignoredFacts(orm: MikroORM): Set<string> {
  return new Set(
    orm.schema
      .getTargetSchema()
      .getTables()
      .flatMap((table) =>
        table.getColumns().flatMap(({ name, ignoreSchemaChanges = [] }) => {
          const schema = table.schema ?? 'public';
          const object = `table ${schema === 'public' ? '' : `${quoted(schema)}.`}${quoted(table.name)}`;
          return ignoreSchemaChanges
            .flatMap((change) => ignorable[change] ?? [])
            .map((fact) => `${object} column ${name} ${fact}`);
        }),
      ),
  );
}
