import { MikroORM } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ormOptions } from '../../src/postgres/orm/orm-options.ts';
import { TriggerSchemaGenerator } from '../../src/postgres/patches/orm/trigger-schema-generator.ts';
import { readCatalog } from '../../packages/migrator/src/catalog/catalog.ts';
import { Migrator, MigrationRefusedError } from 'mikro-orm-safe-migrations';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';
import { tables } from '../schema/tables.ts';

const agreement = {
  agrees: true,
  migrations: [],
  unlisted: [],
  entityDifferences: [],
  replaced: [],
  leftOut: [],
  database: [],
  entities: [],
};
const last = migrationChain.at(-1) ?? '';
const functions = tables
  .flatMap(({ tableName, triggers }) => triggers.map(({ name }) => `function ${tableName}_${name}_fn()`))
  .toSorted();

async function emptyDatabase(): Promise<TestDatabase> {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  return db;
}

async function migrated(): Promise<TestDatabase> {
  const db = await TestServer.shared().createDatabase();
  onTestFinished(() => db.drop());
  return db;
}

const objects = async ({ orm }: TestDatabase) =>
  [...(await readCatalog(orm)).keys()].filter((object) => !object.startsWith('extension '));

const names = (runs: readonly { readonly name: string }[]) => runs.map(({ name }) => name);

/** The ORM on our entities as a project has it that was never told to drop the functions of triggers. */
function plainOrm({ target }: TestDatabase): MikroORM {
  const { extensions = [], ...options } = ormOptions(target);
  const orm = new MikroORM({
    ...options,
    extensions: extensions.filter((extension) => extension !== TriggerSchemaGenerator),
  });
  onTestFinished(() => orm.close(true));
  return orm;
}

describe("the ORM's own commands, with our configuration", () => {
  test('schema:drop leaves nothing but what keeps account, and up makes everything again', async () => {
    const db = await migrated();

    await db.orm.schema.drop({ dropMigrationsTable: true });

    expect(await objects(db)).toEqual([]);
    expect(names(await new Migrator(db.orm).up())).toEqual(migrationChain);
    expect(await new Migrator(db.orm).check()).toEqual(agreement);
  });

  test('schema:drop works on a database without tables', async () => {
    const db = await emptyDatabase();

    await db.orm.schema.drop({ dropMigrationsTable: true });

    expect(await objects(db)).toEqual([]);
  });

  test('migration:fresh applies every migration, and the migrator takes them as applied', async () => {
    const db = await migrated();

    await db.orm.schema.drop({ dropMigrationsTable: true });
    await db.orm.migrator.up();

    expect(await new Migrator(db.orm).up()).toEqual([]);
    expect(await new Migrator(db.orm).check()).toEqual(agreement);
  });

  test('schema:fresh and schema:update leave what the migrations make', async () => {
    const db = await migrated();

    await db.orm.schema.refresh();
    await db.orm.schema.update();

    expect(await new Migrator(db.orm).up()).toEqual([]);
    expect(await new Migrator(db.orm).check()).toEqual(agreement);
  });

  test('after schema:create, up and check name the baseline, which enters everything in the log', async () => {
    const db = await emptyDatabase();
    await db.orm.schema.create();
    const migrator = new Migrator(db.orm);

    await expect(migrator.up()).rejects.toThrow(`run \`baseline ${last}\``);
    const { database } = await migrator.check();

    expect(new Set(database?.map(({ remedy }) => remedy))).toEqual(new Set([`\`baseline ${last}\``]));
    expect(await migrator.baseline(last)).toEqual(migrationChain);
    expect(await migrator.check()).toEqual(agreement);
  });
});

describe('schema:drop of an ORM that leaves the functions of triggers', () => {
  test('check names each function, and up makes them again and says so', async () => {
    const db = await migrated();
    const orm = plainOrm(db);
    await orm.schema.drop({ dropMigrationsTable: true });
    expect(await objects(db)).toEqual(functions);
    // A migration that says `or replace` makes them again by itself.
    const plan = await new Migrator((await emptyDatabase()).orm).planUp();
    const sql = plan.flatMap(({ statements }) => statements).join('\n');
    const created = functions.filter((name) => sql.includes(`create ${name}`));
    const replaced: string[] = [];
    const migrator = new Migrator(orm, {
      onEvent: (event) => event.kind === 'replacing' && replaced.push(...event.objects),
    });

    const { database } = await migrator.check();
    const applied = await migrator.up();

    expect(database?.map(({ object, remedy }) => [object, remedy])).toEqual(
      functions.map((object) => [object, '`up`, which creates it again']),
    );
    expect(names(applied)).toEqual(migrationChain);
    expect(await migrator.check()).toEqual(agreement);
    expect(replaced.toSorted()).toEqual(created);
    // Each migration records those that it made again.
    const [{ note } = { note: '' }] = await db.orm.em.execute<{ note: string }[]>(
      `select string_agg(note, ' ') as note from migrator.history`,
    );
    for (const object of created) expect(note).toContain(object);
  });
});

describe('schema:drop that keeps the log', () => {
  test('up and plan refuse with the statements that empty it, check says them, and up follows', async () => {
    const db = await migrated();
    await plainOrm(db).schema.drop();
    const migrator = new Migrator(db.orm);
    const statements = 'delete from "public"."mikro_orm_migrations"; delete from "migrator"."progress";';
    const before = await objects(db);

    const refusal: unknown = await migrator.up().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(MigrationRefusedError);
    expect(String(refusal)).toContain(statements);
    await expect(migrator.planUp()).rejects.toThrow(statements);
    const { database } = await migrator.check();

    expect(await objects(db)).toEqual(before);
    expect(database).toHaveLength(tables.length);
    for (const { object, remedy } of database ?? []) {
      expect(object).toMatch(/^table /);
      expect(remedy).toBe(`${statements} then \`up\``);
    }
    await db.orm.em.execute(statements);
    expect(names(await migrator.up())).toEqual(migrationChain);
    expect(await migrator.check()).toEqual(agreement);
  });
});
