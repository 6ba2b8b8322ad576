import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defineEntity, MikroORM, p, type Options } from '@mikro-orm/postgresql';
import {
  createMigration,
  Migrator,
  MigratorError,
  type CreatedMigration,
  type CreateOptions,
} from 'mikro-orm-safe-migrations';
import { onTestFinished } from 'vitest';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';

export type Entities = NonNullable<Options['entities']>;

/** Returns the entity of a table with a key and any columns. */
export function tableOf(
  tableName: string,
  properties: Record<string, unknown>,
  options: Record<string, unknown> = {},
): Entities[number] {
  const described = {
    name: tableName,
    tableName,
    properties: { id: p.integer().primary(), ...properties },
    ...options,
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any columns of a test
  return defineEntity(described as never);
}

/** Returns a property that refers to a table of `tableOf`. */
export function referenceTo(table: Entities[number]): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an entity that `tableOf` returned
  const target = table as never;
  return () => p.manyToOne(target).nullable().deleteRule('set null');
}

/** The migration of `createdProject` that makes its tables. */
export const firstMigration = 'Migration20250101000000_first';

/** A project on a migrated database, and a migration that was created for other entities and is pending. */
export interface CreatedProject {
  readonly db: TestDatabase;
  readonly migrator: Migrator;
  readonly created: CreatedMigration | null;
  /** The text of the created files. */
  readonly source: string;
  /** What `onKept` received. */
  readonly kept: readonly string[];
}

/** Creates a project whose first migration makes `made` with rows, and a migration from there to `entities`. */
export async function createdProject({
  made,
  rows = [],
  entities,
  options = {},
}: {
  readonly made: readonly string[];
  readonly rows?: readonly string[];
  readonly entities: Entities;
  readonly options?: CreateOptions;
}): Promise<CreatedProject> {
  const db = await emptyDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'created-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await symlink(join(import.meta.dirname, '../../../node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await mkdir(join(directory, 'migrations'));
  await writeFile(
    join(directory, 'migrations', `${firstMigration}.ts`),
    `import { Migration } from '@mikro-orm/migrations';
    export class ${firstMigration} extends Migration {
      override up(): void { ${made.map((sql) => `this.addSql(${JSON.stringify(sql)});`).join('\n')} }
    }`,
  );
  const open = () => {
    const orm = new MikroORM({
      clientUrl: db.url,
      baseDir: directory,
      preferTs: true,
      entities,
      discovery: { warnWhenNoEntities: false },
      logger: () => {},
      migrations: { path: 'migrations', snapshot: false },
    });
    onTestFinished(() => orm.close(true));
    return orm;
  };
  const orm = open();
  await new Migrator(orm).up();
  for (const sql of rows) await db.orm.em.execute(sql);
  let kept: readonly string[] = [];
  const created = await createMigration(orm, 'change', {
    onKept: (names) => {
      kept = names;
    },
    // It takes longer than all the rest.
    verify: false,
    ...options,
  });
  const files = (await readdir(join(directory, 'migrations')))
    .filter((file) => !file.startsWith(firstMigration))
    .toSorted();
  const texts = await Promise.all(files.map((file) => readFile(join(directory, 'migrations', file), 'utf8')));
  return { db, migrator: new Migrator(open()), created, source: texts.join('\n'), kept };
}

/** How a run ended: `done`, `refused`, or the SQLSTATE. */
export async function outcomeOf(running: Promise<unknown>): Promise<string> {
  try {
    await running;
    return 'done';
  } catch (error) {
    if (error instanceof MigratorError && error.code === 'refused') return 'refused';
    if (!(error instanceof MigratorError && error.cause instanceof Error && 'code' in error.cause))
      throw error;
    return String(error.cause.code);
  }
}

/** Returns the rows of a query as JSON, with every digit. */
export async function valuesOf(db: TestDatabase, query: string): Promise<string[]> {
  const found = await db.orm.em.execute<{ line: string }[]>(
    `select to_jsonb(t)::text as line from (${query}) t`,
  );
  return found.map(({ line }) => line);
}
