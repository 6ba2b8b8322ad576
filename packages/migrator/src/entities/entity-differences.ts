import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, readCatalogIn, type Catalog, type CatalogFacts } from '../catalog/catalog.ts';
import { differences, type Difference } from '../catalog/differences.ts';
import { settledDifferences, tryStatement } from '../catalog/restorable-differences.ts';
import type { RemediedDifference } from '../leftovers/remedies.ts';
import { tablesOf } from '../ledger/tables.ts';
import { inTransaction } from '../session/session.ts';
import { ormStatements } from '../sql/orm-statements.ts';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { comparable } from './comparable.ts';
import { createDescribed } from './described-catalog.ts';
import { dropLeftOut } from './drop-left-out.ts';
import type { MadeByOptional } from './made-by-optional.ts';
import { quoteDefaults } from './quote-defaults.ts';

/** How the schema of all migrations differs from that of the entities. */
export interface EntityDifferences {
  /** Differences between what the entities create (`expected`) and what the migrations create (`found`). */
  readonly differing: readonly RemediedDifference[];
  /** The statements by which the ORM would change the schema; without those that would change nothing. */
  readonly statements: readonly string[];
}

/**
 * Compares what migrations and entities create, as PostgreSQL prints both. `scratch` has the schema of all migrations, and of the entities
 * afterwards. What entities can't describe counts only if the ORM's generator would drop it, and no optional migration makes it.
 */
export async function compareEntities(
  scratch: MikroORM,
  schema: string,
  ignored: IgnoredObjects,
  optional: MadeByOptional = { has: () => false },
): Promise<EntityDifferences> {
  await quoteDefaults(scratch);
  const made = ignored.without(await readCatalog(scratch, schema));
  await dropLeftOut(scratch);
  const { safe = false, dropTables = true } = scratch.config.get('migrations');
  const statements = await ormStatements(
    await scratch.schema.getUpdateSchemaSQL({ wrap: false, safe, dropTables }),
  );
  const changed = statements.length === 0 ? made : await catalogAfter(scratch, schema, statements);
  const { objects, failures } = await createDescribed(scratch, schema);
  const { expected, found } = comparable(scratch, ignored.without(objects), made);
  const differing = await settledDifferences(scratch, schema, differences(expected, found));
  const names = new Set(
    [
      ...differing.map(({ object }) => object),
      ...dropped(made, changed, { described: objects, optional }),
    ].map(nameOf),
  );
  const needed = statements.filter((sql) => [...names].some((name) => sql.includes(name)));
  const failed = failures.map(({ sql, message }): RemediedDifference => ({
    object: 'entities',
    part: null,
    fact: 'statement',
    expected: sql,
    found: message,
    remedy: 'correct the entity, or write a migration that creates what it needs',
  }));
  return {
    differing: [...differing.map((one) => ({ ...one, remedy: remedyOf(one, needed) })), ...failed],
    statements: needed,
  };
}

/** What statements of the ORM do to a scratch database. */
export interface StatementEffect {
  /** Whether they leave the schema as PostgreSQL prints it. */
  readonly isNone: boolean;
  /** How those fail that do, even without rows: the statement and the server's message. */
  readonly failures: readonly string[];
}

/** Returns the effect of statements, which are rolled back. */
export async function effectOf(
  scratch: MikroORM,
  schema: string,
  statements: readonly string[],
): Promise<StatementEffect> {
  const before = await readCatalog(scratch, schema);
  const failures: string[] = [];
  const after = await catalogAfter(scratch, schema, statements, failures);
  return { isNone: differences(before, after).length === 0, failures };
}

/** Returns the catalog after statements of the ORM, which are rolled back; adds to `failures` how some fail. */
function catalogAfter(
  scratch: MikroORM,
  schema: string,
  statements: readonly string[],
  failures: string[] = [],
): Promise<Catalog> {
  return inTransaction(scratch, async (session) => {
    await session.query('savepoint before_changes');
    for (const sql of statements) {
      const failure = await tryStatement(session, sql);
      if (failure !== null) failures.push(`${sql}: ${failure}`);
    }
    const catalog = await readCatalogIn(session, schema, tablesOf(scratch, schema));
    await session.query('rollback to before_changes');
    return catalog;
  });
}

/** Returns the objects and parts that the ORM's statements drop, that the entities don't create again, and that no optional migration makes. */
function dropped(
  made: Catalog,
  changed: Catalog,
  { described, optional }: { readonly described: Catalog; readonly optional: MadeByOptional },
): string[] {
  return [...made].flatMap(([object, { parts }]) => {
    const after = changed.get(object);
    if (!after) return described.has(object) || optional.has(object, null) ? [] : [object];
    const needed = described.get(object)?.parts;
    return [...parts]
      .filter(
        ([part, values]) =>
          !after.parts.has(part) &&
          needed?.has(part) !== true &&
          !optional.has(object, part) &&
          isDescribable(object, part, values),
      )
      .map(([part]) => part);
  });
}

/** Whether entities can describe a part: not a trigger whose function has another name than the ORM gives. */
function isDescribable(object: string, part: string, values: CatalogFacts): boolean {
  const [, trigger] = /^trigger (.*)$/s.exec(part) ?? [];
  if (trigger === undefined) return true;
  const name = [nameOf(object), trigger.startsWith('"') ? trigger : `"${trigger}"`]
    .map((quoted) => quoted.slice(1, -1))
    .join('_');
  const printed = values['definition'] ?? '';
  return [`${name}_fn()`, `"${name}_fn"()`].some((called) => printed.endsWith(`.${called}`));
}

/** Returns the quoted name of an object without its schema, as the ORM writes it. */
function nameOf(object: string): string {
  const [, quoted, plain = ''] = /("(?:[^"]|"")+"|([^\s".()]+))(?:\(.*\))?$/s.exec(object) ?? [];
  return quoted?.startsWith('"') ? quoted : `"${plain}"`;
}

function remedyOf({ object }: Difference, statements: readonly string[]): string {
  return statements.some((sql) => sql.includes(nameOf(object)))
    ? 'migrate create, or correct the entity'
    : 'write a migration by hand, because the ORM finds no statement for it, or correct the entity';
}
