import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { renderMigrationList } from '../src/cli/add-migration-to-list.ts';
import { ormOptions } from '../src/postgres/orm/orm-options.ts';
import { migrations } from '../src/migrations.ts';
import { digestOf } from '../packages/migrator/src/files/code-migration.ts';
import { readMigrations } from '../packages/migrator/src/files/read-migrations.ts';
import { parseDatabaseUrl } from '../src/settings/database-url.ts';
import { checksumsIn, schemaFile } from '../docs/generate-schema.ts';
import { allMigrations } from './schema/migration-chain.ts';

const source = join(import.meta.dirname, '../src');
const orm = new MikroORM(ormOptions(parseDatabaseUrl('postgresql://nobody@localhost/none', 'url')));

test('the list has every file of src/migrations, in the order of the chain', async () => {
  const files = (await readdir(join(source, 'migrations'))).map((file) => file.replace(/\.ts$/, ''));

  expect(migrations.map((Class) => Class.name)).toEqual(allMigrations);
  expect(
    files.filter((name) => !allMigrations.includes(name)),
    'add to src/migrations.ts, then run `make schema`',
  ).toEqual([]);
});

test('each migration is logged under the name of its file, also where a bundler renames its class', () => {
  const names = migrations.map((Class) => {
    const Renamed = class extends Class {};
    return new Renamed(orm.em.getDriver(), orm.config).name;
  });

  expect(names).toEqual(allMigrations);
});

test('the list is the text that creating a migration writes', async () => {
  expect(await readFile(join(source, 'migrations.ts'), 'utf8')).toBe(
    renderMigrationList('migrations', allMigrations),
  );
});

// Databases have them in their history. One that differs would be refused as edited there.
test('the checksums are those with which databases were migrated', async () => {
  const read = await readMigrations(orm);

  const checksums = await Promise.all(
    read.map(async (migration) => {
      const statements = await (await migration.load()).emit('up');
      return [migration.name, statements && digestOf(statements)];
    }),
  );

  expect(checksums).toEqual([...checksumsIn(await readFile(schemaFile, 'utf8'))]);
});
