import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import {
  createMigration,
  Migrator,
  type CreateOptions,
  type CreatedMigration,
  type MigratorOptions,
} from 'mikro-orm-safe-migrations';
import { onTestFinished } from 'vitest';
import type { Entities } from './created-project.ts';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';

/** A project whose column gets another name in two releases. */
export interface RenamedProject {
  readonly db: TestDatabase;
  /** Writes a migration for the entities. */
  create(name: string, options: CreateOptions): Promise<CreatedMigration | null>;
  /** Returns a migrator with these entities, and all migrations that were written; default those with the new name. */
  migrator(entities?: Entities, options?: MigratorOptions): Migrator;
  source(created: CreatedMigration | null): Promise<string>;
}

/** Creates a project whose first migration makes `made` with rows. */
export async function renamedProject({
  made,
  rows = [],
  entities,
}: {
  readonly made: readonly string[];
  readonly rows?: readonly string[];
  readonly entities: Entities;
}): Promise<RenamedProject> {
  const db = await emptyDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'renamed-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await symlink(join(import.meta.dirname, '../../../node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  await mkdir(join(directory, 'migrations'));
  const first = 'Migration20250101000000_first';
  await writeFile(
    join(directory, 'migrations', `${first}.ts`),
    `import { Migration } from '@mikro-orm/migrations';
    export class ${first} extends Migration {
      override up(): void { ${made.map((sql) => `this.addSql(${JSON.stringify(sql)});`).join('\n')} }
    }`,
  );
  const open = (of: Entities = entities): MikroORM => {
    const orm = new MikroORM({
      clientUrl: db.url,
      baseDir: directory,
      preferTs: true,
      entities: of,
      discovery: { warnWhenNoEntities: false },
      logger: () => {},
      migrations: { path: 'migrations', snapshot: false },
    });
    onTestFinished(() => orm.close(true));
    return orm;
  };
  await new Migrator(open()).up();
  for (const sql of rows) await db.orm.em.execute(sql);
  return {
    db,
    // The tests lint and verify what it writes themselves.
    create: (name, options) => createMigration(open(), name, { verify: false, ...options }),
    migrator: (of, options) => new Migrator(open(of), options),
    source: (created) => (created ? readFile(created.path, 'utf8') : Promise.resolve('')),
  };
}
