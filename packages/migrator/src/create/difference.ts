import { DatabaseSchema, SchemaComparator, type MikroORM } from '@mikro-orm/postgresql';
import { ormStatements } from '../sql/orm-statements.ts';

/** The changes of one direction, as the ORM compares schemas. */
export type Difference = ReturnType<SchemaComparator['compare']>;

/** Of one table that was there before. */
export type TableDifference = Difference['changedTables'][string];

/** Reads the schema of the ORM's database. */
export async function readSchema(orm: MikroORM): Promise<DatabaseSchema> {
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
  return pruned(orm, schema);
}

/** Returns the schema of the entities. */
export function describedSchema(orm: MikroORM): DatabaseSchema {
  return pruned(orm, orm.schema.getTargetSchema());
}

/** Returns the changes from `from` to `to`. Those of the other direction are passed so that both regard the same columns as renamed. */
export function compare(
  orm: MikroORM,
  from: DatabaseSchema,
  to: DatabaseSchema,
  wayThere?: Difference,
): Difference {
  return new SchemaComparator(orm.em.getPlatform()).compare(from, to, wayThere);
}

/**
 * The statements of a difference, without semicolons; it is used up by that. A column that rows have no value for is added in two
 * steps, between which they can be given one.
 */
export async function toStatements(orm: MikroORM, difference: Difference): Promise<string[]> {
  const { safe = false, dropTables = true } = orm.config.get('migrations');
  const required = Object.values(difference.changedTables).flatMap((table) =>
    requiredColumns(table).map((column) => ({ table, column })),
  );
  for (const table of Object.values(difference.changedTables)) dropAsMade(table);
  for (const { table, column } of required) {
    table.addedColumns[column.name] = { ...column, nullable: true };
  }
  const text = orm.schema.diffToSQL(difference, { wrap: false, safe, dropTables });
  const statements = (await ormStatements(text)).map(improved);
  for (const { table, column } of required.toReversed()) {
    const added = statements.findIndex(
      (sql) => sql.startsWith(`alter table ${quoted(table)} add `) && sql.includes(`add "${column.name}" `),
    );
    statements.splice(
      added + 1,
      0,
      `alter table ${quoted(table)} alter column "${column.name}" set not null`,
    );
  }
  return statements;
}

// The ORM takes a unique index that the entity writes out for a constraint, and would drop it as one.
function dropAsMade({ removedIndexes }: TableDifference): void {
  for (const [name, index] of Object.entries(removedIndexes)) {
    if (/^create /i.test(index.expression ?? '')) removedIndexes[name] = { ...index, constraint: false };
  }
}

/** Columns that rows have no value for when they are added. */
export function requiredColumns({
  addedColumns,
}: TableDifference): TableDifference['addedColumns'][string][] {
  return Object.values(addedColumns).filter(
    ({ nullable, default: value, generated, autoincrement }) =>
      !nullable && !generated && !autoincrement && (value === undefined || value === null),
  );
}

/** Returns the name of a table as in statements. */
export function quoted({ toTable }: TableDifference): string {
  return toTable.getQuotedName();
}

// Tables whose schema is only known when the ORM is asked for one are no part of what it compares.
function pruned(orm: MikroORM, schema: DatabaseSchema): DatabaseSchema {
  const anywhere = [...orm.getMetadata().getAll().values()].filter((meta) => meta.schema === '*');
  schema.prune(
    undefined,
    anywhere.map(({ tableName }) => tableName),
  );
  return schema;
}

function improved(statement: string): string {
  return (
    statement
      // What others still need should stop it, not go along; the ORM drops the foreign keys beforehand.
      .replace(/^drop table if exists (.+) cascade$/, 'drop table $1')
      // No type, but what makes a column of one with a sequence; the sequence is there.
      .replace(
        /\btype (small|big)?serial using \(("[^"]+")::\w+\)/,
        (_, size: string = '', column: string) => {
          const type = size === '' ? 'int' : `${size}int`;
          return `type ${type} using (${column}::${type})`;
        },
      )
  );
}
