import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, readCatalogIn, type Catalog } from '../catalog/catalog.ts';
import { inTransaction, poolSession } from '../session/session.ts';
import { isLostConnection } from '../session/find-sql-state.ts';
import { tryStatement } from '../catalog/restorable-differences.ts';
import { tablesOf } from '../ledger/tables.ts';
import { ormStatements } from '../sql/orm-statements.ts';

/** The schema that entities create. */
export interface DescribedCatalog {
  /** The objects that the ORM's generator created. */
  readonly objects: Catalog;
  /** Statements of the generator that failed. */
  readonly failures: readonly { readonly sql: string; readonly message: string }[];
}

/**
 * Replaces what entities describe in a scratch database, that has the schema of the migrations, by what the ORM's generator creates from
 * the entities. Extensions, functions and other objects of the migrations stay, because the generator's statements may need them.
 */
export async function createDescribed(scratch: MikroORM, schema: string): Promise<DescribedCatalog> {
  const session = poolSession(scratch);
  for (const sql of dropStatements(scratch)) await session.query(sql);
  const before = await readCatalog(scratch, schema);
  const failures: DescribedCatalog['failures'][number][] = [];
  for (const sql of await ormStatements(await scratch.schema.getCreateSchemaSQL({ wrap: false }))) {
    try {
      await session.query(sql);
    } catch (error) {
      // A schema, or an extension's function, that the migrations create too.
      if (isLostConnection(error)) throw error;
      failures.push({ sql, message: isNativeError(error) ? error.message : String(error) });
    }
  }
  const after = await readCatalog(scratch, schema);
  return { objects: onlyNew(before, after), failures };
}

/** Returns what entities create, as `createDescribed` does, and leaves the scratch database unchanged. */
export function describedCatalog(scratch: MikroORM, schema: string): Promise<Catalog> {
  return inTransaction(scratch, async (session) => {
    const read = async () => {
      // Reading sets the search path.
      await session.query('savepoint before_reading');
      const catalog = await readCatalogIn(session, schema, tablesOf(scratch, schema));
      await session.query('rollback to before_reading');
      return catalog;
    };
    await session.query('savepoint before_entities');
    for (const sql of dropStatements(scratch)) await session.query(sql);
    const before = await read();
    for (const sql of await ormStatements(await scratch.schema.getCreateSchemaSQL({ wrap: false })))
      await tryStatement(session, sql);
    const after = await read();
    await session.query('rollback to before_entities');
    return onlyNew(before, after);
  });
}

function onlyNew(before: Catalog, after: Catalog): Catalog {
  return new Map([...after].filter(([object]) => !before.has(object)));
}

function dropStatements(scratch: MikroORM): string[] {
  const target = scratch.schema.getTargetSchema();
  const platform = scratch.em.getPlatform();
  const quoted = ({
    name,
    schema = scratch.config.get('schema'),
  }: {
    name: string;
    schema?: string | undefined;
  }) =>
    [schema ?? platform.getDefaultSchemaName() ?? 'public', name]
      .map((one) => platform.quoteIdentifier(one))
      .join('.');
  return [
    ...target
      .getViews()
      .map(
        (view) =>
          `drop ${view.materialized ? 'materialized view' : 'view'} if exists ${quoted(view)} cascade`,
      ),
    ...target.getTables().map((table) => `drop table if exists ${quoted(table)} cascade`),
    ...Object.values(target.getNativeEnums()).map((type) => `drop type if exists ${quoted(type)} cascade`),
  ];
}
