import type { MikroORM } from '@mikro-orm/postgresql';
import type { Catalog, CatalogFacts } from '../catalog/catalog.ts';
import { differences } from '../catalog/differences.ts';
import { comparable } from '../entities/comparable.ts';
import type { Direction } from '../files/code-migration.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { inTransaction, type Session } from '../session/session.ts';
import { askCast, type Cast, type SessionDependency } from './ask-cast.ts';
import { namedObjects, quoted, quotedName, shortName } from './named-objects.ts';

/** A column that gets another type, in one direction. */
export interface TypeChange {
  /** Such as `books.price`. */
  readonly name: string;
  readonly column: string;
  /** The quoted name of its table. */
  readonly table: string;
  readonly from: string;
  readonly to: string;
  /** What happens to values that the other type does not hold: none exist, their rows are refused, or they are changed. */
  readonly values: 'kept' | 'refused' | 'changed';
  readonly statements: readonly string[];
}

/**
 * Returns the changes of columns' types between two catalogs, of which the scratch database has one; not those of generated columns. A change that may alter values is
 * guarded by a check that the values come back equal, so that it fails on other rows; except for the columns of `lossy`.
 *
 * @throws MigrationRefusedError where PostgreSQL has no cast, or its result depends on the session's settings.
 */
export async function typeChanges(
  orm: MikroORM,
  { from, to, direction, lossy }: Compared & { readonly lossy: ReadonlySet<string> },
): Promise<TypeChange[]> {
  const [made, described] = direction === 'up' ? [from, to] : [to, from];
  const changed = changedTypes(orm, { from, to, direction }).filter(({ generated }) => !generated);
  if (changed.length === 0) return [];
  return inTransaction(orm, async (session) => {
    await session.query(`savepoint before_types; set local search_path to ''`);
    await createTypes(session, made, described);
    const changes: TypeChange[] = [];
    for (const { facts, ...change } of changed) {
      const cast = await askCast(session, change.from, change.to);
      const isLossy = direction === 'up' && lossy.has(change.name);
      const values = valuesOf(change, cast, isLossy);
      // Asked again for the type of the compiler: `valuesOf` throws without a cast.
      if (!cast) continue;
      changes.push({ ...change, values, statements: statementsFor(change, cast, values, facts) });
    }
    await session.query('rollback to before_types');
    return changes;
  });
}

type Change = Pick<TypeChange, 'name' | 'column' | 'table' | 'from' | 'to'>;

/** A column whose type differs, before it is known how. */
export interface ChangedType extends Change {
  /** The name of its table, such as `shop.books`. */
  readonly ofTable: string;
  /** Whether it is generated afterwards, so that it is computed again. */
  readonly generated: boolean;
  /** What the catalogs say of it before and after. */
  readonly facts: readonly [CatalogFacts, CatalogFacts];
}

/** The schemas before and after a direction, as PostgreSQL prints them. */
interface Compared {
  readonly from: Catalog;
  readonly to: Catalog;
  readonly direction: Direction;
}

/** Returns the columns whose types differ between two catalogs. */
export function changedTypes(orm: MikroORM, { from, to, direction }: Compared): ChangedType[] {
  const [made, described] = direction === 'up' ? [from, to] : [to, from];
  const { expected, found } = comparable(orm, described, made);
  const [old, next] = direction === 'up' ? [found, expected] : [expected, found];
  const tables = namedObjects(from);
  return differences(next, old).flatMap(({ object, part, fact, found: before, expected: after }) => {
    const table = tables.find(({ key }) => key === object);
    const [, column] = /^column (.*)$/s.exec(part ?? '') ?? [];
    if (fact !== 'type' || !table || column === undefined || before === null || after === null) return [];
    const factsOf = (catalog: Catalog) => catalog.get(object)?.parts.get(part ?? '') ?? {};
    const facts = [factsOf(from), factsOf(to)] as const;
    return [
      {
        name: `${shortName(table)}.${column}`,
        column,
        ofTable: shortName(table),
        table: quotedName(table),
        from: before,
        to: after,
        generated: facts[1]['generated'] !== undefined,
        facts,
      },
    ];
  });
}

const dependencies: Readonly<Record<SessionDependency, string>> = {
  'time zone': `the time zone of the session: write a migration by hand, with using … at time zone '…'`,
  lc_monetary: `lc_monetary, the session's locale of amounts of money: write a migration by hand, with set local lc_monetary = '…' before it`,
  settings: 'settings of the session: write a migration by hand, with set local before it',
};

function valuesOf({ name, from, to }: Change, cast: Cast | null, isLossy: boolean): TypeChange['values'] {
  const change = `${name} changes from ${from} to ${to}`;
  if (!cast) {
    throw new MigrationRefusedError(`${change}, for which PostgreSQL has no cast: write a migration by hand`);
  }
  if (cast.dependsOn) {
    throw new MigrationRefusedError(`${change}, whose result depends on ${dependencies[cast.dependsOn]}`);
  }
  if (cast.keepsValues) return 'kept';
  if (isLossy) return 'changed';
  if (cast.returns) return 'refused';
  throw new MigrationRefusedError(
    `${change}, and whether values stay the same can't be compared: write a migration by hand, or accept it by --lossy ${name}`,
  );
}

function statementsFor(
  { column, table, to }: Change,
  { isAssignment, convert, returns }: Cast,
  values: TypeChange['values'],
  [before, after]: readonly [CatalogFacts, CatalogFacts],
): string[] {
  const name = quoted(column);
  const [old, next] = [before['default'], after['default']];
  // PostgreSQL would have to cast it too.
  const isRecast = old !== undefined && !old.startsWith('nextval(');
  const collation = after['collation'] === undefined ? '' : ` collate ${after['collation']}`;
  // Only an explicit cast truncates.
  const using = isAssignment && values !== 'changed' ? '' : ` using (${convert(name)})`;
  const guard = quoted(`${column} keeps its values`);
  return [
    ...(isRecast ? [`alter table ${table} alter column ${name} drop default`] : []),
    ...(values === 'refused' && returns
      ? [
          `alter table ${table} add constraint ${guard} check (${returns(name)})`,
          `alter table ${table} drop constraint ${guard}`,
        ]
      : []),
    `alter table ${table} alter column ${name} type ${to}${collation}${using}`,
    ...(isRecast && next !== undefined
      ? [`alter table ${table} alter column ${name} set default ${next}`]
      : []),
  ];
}

/** Creates the native enums that only the entities have. */
async function createTypes(session: Session, made: Catalog, described: Catalog): Promise<void> {
  for (const { key, kind, schema, name, object } of namedObjects(described)) {
    const values = object.facts['values'];
    if (kind !== 'type' || made.has(key) || values === undefined) continue;
    await session.query(
      `create schema if not exists ${quoted(schema)}; create type ${quoted(schema)}.${quoted(name)} as enum (${values})`,
    );
  }
}

/** Returns the ORM's statements, with those of the type changes instead of the ORM's. */
export function withTypeChanges(statements: readonly string[], changes: readonly TypeChange[]): string[] {
  let result = [...statements];
  for (const { table, column, statements: own } of changes) {
    const prefix = `alter table ${table} alter column ${quoted(column)} `;
    const isReplaced = (sql: string) =>
      sql.startsWith(`${prefix}type `) ||
      (own.some((one) => one.startsWith(`${prefix}drop default`)) &&
        (sql.startsWith(`${prefix}set default `) || sql === `${prefix}drop default`));
    const at = result.findIndex((sql) => sql.startsWith(`${prefix}type `));
    const kept = (part: readonly string[]) => part.filter((sql) => !isReplaced(sql));
    result =
      at === -1
        ? [...kept(result), ...own]
        : [...kept(result.slice(0, at)), ...own, ...kept(result.slice(at))];
  }
  return result;
}
