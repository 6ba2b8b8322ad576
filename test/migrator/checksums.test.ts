import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { ormOptions } from '../../src/postgres/orm/orm-options.ts';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain, optionalMigrations } from '../schema/migration-chain.ts';

const root = join(import.meta.dirname, '../..');
const sources = join(root, 'src/migrations');

function migratorOf({ target }: TestDatabase, path: string): Migrator {
  const { migrations: { migrationsList: _, ...migrations } = {}, ...options } = ormOptions(target);
  const orm = new MikroORM({ ...options, migrations: { ...migrations, path } });
  onTestFinished(() => orm.close(true));
  return new Migrator(orm);
}

/** Writes each of our migrations, changed, into a directory from which packages are found. */
async function changed(
  change: (name: string, text: string) => [name: string, text: string],
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'synthdb-files-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(join(root, 'node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  for (const file of await readdir(sources)) {
    const [name, text] = change(file, await readFile(join(sources, file), 'utf8'));
    await writeFile(join(directory, name), text);
  }
  return directory;
}

test('each of our migrations counts as the same, as it is, built and reformatted', async () => {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  expect(await migratorOf(db, sources).up()).toHaveLength(migrationChain.length);

  const built = await changed((name, text) => [name.replace(/ts$/, 'js'), stripTypeScriptTypes(text)]);
  const reformatted = await changed((name, text) => [
    name,
    `// Another comment.\n${text.replaceAll(';\n', ';\n\n')}`,
  ]);

  for (const directory of [built, reformatted, sources]) {
    expect(await migratorOf(db, directory).up()).toEqual([]);
    const status = await migratorOf(db, directory).status();
    expect(status.filter(({ condition }) => condition === 'applied').map(({ name }) => name)).toEqual(
      migrationChain,
    );
    expect(status.filter(({ condition }) => condition === 'optional').map(({ name }) => name)).toEqual(
      optionalMigrations,
    );
  }
});
