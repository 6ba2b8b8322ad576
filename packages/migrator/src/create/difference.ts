import { DatabaseSchema, SchemaComparator, type MikroORM } from '@mikro-orm/postgresql';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { ormStatements } from '../sql/orm-statements.ts';

/** The changes of one direction, as the ORM compares schemas. */
export type SchemaDifference = ReturnType<SchemaComparator['compare']>;

/** The changes of one existing table. */
export type TableDifference = SchemaDifference['changedTables'][string];

/** Reads the schema of the ORM's database, in the schemas of the entities. */
export async function readSchema(orm: MikroORM, ignored: IgnoredObjects): Promise<DatabaseSchema> {
  const [connection, platform] = [orm.em.getConnection(), orm.em.getPlatform()];
  const { skipTables, skipViews } = orm.config.get('schemaGenerator');
  const namespaces = orm.schema.getTargetSchema().getNamespaces();
  const schema = await DatabaseSchema.create(
    connection,
    platform,
    orm.config,
    undefined,
    namespaces,
    undefined,
    skipTables,
    skipViews,
  );
  await schema.loadRoutines(connection, platform, namespaces);
  return withoutIgnored(withoutWildcardTables(orm, schema), ignored);
}

/** Returns the schema of the entities. */
export function describedSchema(orm: MikroORM, ignored: IgnoredObjects): DatabaseSchema {
  return withoutIgnored(withoutWildcardTables(orm, orm.schema.getTargetSchema()), ignored);
}

/** Returns the changes from `from` to `to`, in which no column is regarded as renamed: the ORM only guesses that. */
export function compare(orm: MikroORM, from: DatabaseSchema, to: DatabaseSchema): SchemaDifference {
  const difference = withoutTruncated(new SchemaComparator(orm.em.getPlatform()).compare(from, to));
  for (const table of Object.values(difference.changedTables)) {
    for (const [old, column] of Object.entries(table.renamedColumns)) {
      const removed = table.fromTable.getColumn(old);
      if (removed) table.removedColumns[old] = removed;
      table.addedColumns[column.name] = column;
    }
    table.renamedColumns = {};
  }
  return difference;
}

function truncated(name: string): string {
  return Buffer.from(name).subarray(0, 63).toString();
}

// PostgreSQL truncates names to 63 bytes, and the ORM takes a table with a longer name for another one.
function withoutTruncated(difference: SchemaDifference): SchemaDifference {
  const sides = [
    [difference.newTables, difference.removedTables],
    [difference.removedTables, difference.newTables],
  ] as const;
  for (const [long, short] of sides) {
    for (const [key, { name, schema }] of Object.entries(long)) {
      const same = Object.entries(short).find(
        ([, other]) => other.schema === schema && name !== other.name && truncated(name) === other.name,
      );
      if (!same) continue;
      delete long[key];
      delete short[same[0]];
    }
  }
  return difference;
}

/**
 * Returns the statements of a difference, without semicolons, and modifies the difference. A required column without a default is added
 * in two statements, so that rows can get a value between them.
 */
export async function toStatements(orm: MikroORM, difference: SchemaDifference): Promise<string[]> {
  const { safe = false, dropTables = true } = orm.config.get('migrations');
  const required = Object.values(difference.changedTables).flatMap((table) =>
    requiredColumns(table).map((column) => ({ table, column })),
  );
  for (const table of Object.values(difference.changedTables)) dropAsIndexes(table);
  for (const { table, column } of required) {
    table.addedColumns[column.name] = { ...column, nullable: true };
  }
  const text = orm.schema.diffToSQL(difference, { wrap: false, safe, dropTables });
  const statements = (await ormStatements(text)).map(correctStatement);
  for (const { table, column } of required.toReversed()) {
    const added = statements.findIndex(
      (sql) =>
        sql.startsWith(`alter table ${quotedTable(table)} add `) && sql.includes(`add "${column.name}" `),
    );
    statements.splice(
      added + 1,
      0,
      `alter table ${quotedTable(table)} alter column "${column.name}" set not null`,
    );
  }
  return statements;
}

// The ORM regards a unique index with an expression as a constraint, and would drop it as one.
function dropAsIndexes({ removedIndexes }: TableDifference): void {
  for (const [name, index] of Object.entries(removedIndexes)) {
    if (/^create /i.test(index.expression ?? '')) removedIndexes[name] = { ...index, constraint: false };
  }
}

/** Returns the added columns that existing rows have no value for. */
export function requiredColumns({
  addedColumns,
}: TableDifference): TableDifference['addedColumns'][string][] {
  return Object.values(addedColumns).filter(
    ({ nullable, default: value, generated, autoincrement }) =>
      !nullable && !generated && !autoincrement && (value === undefined || value === null),
  );
}

/** Returns the quoted name of a table. */
export function quotedTable({ toTable }: TableDifference): string {
  return toTable.getQuotedName();
}

// Tables with the wildcard schema have no fixed place in the database, so the ORM does not compare them.
function withoutWildcardTables(orm: MikroORM, schema: DatabaseSchema): DatabaseSchema {
  const wildcard = [...orm.getMetadata().getAll().values()].filter((meta) => meta.schema === '*');
  schema.prune(
    undefined,
    wildcard.map(({ tableName }) => tableName),
  );
  return schema;
}

function withoutIgnored(schema: DatabaseSchema, ignored: IgnoredObjects): DatabaseSchema {
  const isKept = (kind: string, one: { readonly name: string; readonly schema?: string | undefined }) =>
    !ignored.hasNamed(one.schema ?? schema.name, one.name, kind);
  schema.setTables(schema.getTables().filter((table) => isKept('table', table)));
  schema.setViews(
    schema.getViews().filter((view) => isKept(view.materialized ? 'materialized view' : 'view', view)),
  );
  return schema;
}

// Dependent objects should make it fail, not be dropped too; the ORM drops the foreign keys before.
function correctStatement(statement: string): string {
  return statement.replace(/^drop table if exists (.+) cascade$/, 'drop table $1');
}
