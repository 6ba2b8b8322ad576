import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { ormOptions } from '../../src/postgres/orm/orm-options.ts';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { migrationChain } from '../schema/migration-chain.ts';

const root = join(import.meta.dirname, '../..');
const sources = join(root, 'src/migrations');

/** Returns the checksum of each migration in a directory, by its name. */
async function checksums({ target }: TestDatabase, path: string): Promise<Record<string, string | null>> {
  const { migrations: { migrationsList: _, ...migrations } = {}, ...options } = ormOptions(target);
  const orm = new MikroORM({ ...options, migrations: { ...migrations, path } });
  onTestFinished(() => orm.close(true));
  const status = await new Migrator(orm).status();
  return Object.fromEntries(status.map(({ name, checksum }) => [name, checksum]));
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

test('each of our migrations has one checksum as it is, built and reformatted', async () => {
  const db = await TestServer.shared().createEmptyDatabase();
  onTestFinished(() => db.drop());
  const written = await checksums(db, sources);

  const built = await changed((name, text) => [name.replace(/ts$/, 'js'), stripTypeScriptTypes(text)]);
  const reformatted = await changed((name, text) => [
    name,
    `// Another comment.\n${text.replaceAll(';\n', ';\n\n')}`,
  ]);

  expect(new Set(Object.values(written)).size).toBe(migrationChain.length);
  expect(await checksums(db, built)).toEqual(written);
  expect(await checksums(db, reformatted)).toEqual(written);
});
