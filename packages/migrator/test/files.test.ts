import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM } from '@mikro-orm/postgresql';
import { expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';
import { accountMigrations } from './accounts.ts';

const modules = join(import.meta.dirname, '../../../node_modules');
const sources = join(import.meta.dirname, 'accounts');

/** The migrator of the migrations in a directory. */
function migratorOf({ url }: TestDatabase, path: string): Migrator {
  const orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    migrations: { path },
  });
  onTestFinished(() => orm.close(true));
  return new Migrator(orm);
}

/** A directory of these files, from which packages are found. */
async function directoryOf(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-files-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(modules, join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  return directory;
}

/** A directory of the account migrations, each changed by `change`. */
async function changed(
  change: (name: string, text: string) => [name: string, text: string],
): Promise<string> {
  const files = await Promise.all(
    (await readdir(sources)).map(async (name) => change(name, await readFile(join(sources, name), 'utf8'))),
  );
  return directoryOf(Object.fromEntries(files));
}

test('accepts a file that was built or reformatted after it was applied', async () => {
  const db = await emptyDatabase();
  await migratorOf(db, sources).up();

  const built = await changed((name, text) => [name.replace(/ts$/, 'js'), stripTypeScriptTypes(text)]);
  const reformatted = await changed((name, text) => [
    name,
    `// Another comment.\n${text.replaceAll(';\n', ';\n\n')}`,
  ]);
  const withCarriageReturns = await changed((name, text) => [name, text.replaceAll('\n', '\r\n')]);

  expect(await conditions(db, withCarriageReturns)).toEqual(accountMigrations.map(() => 'applied'));
  for (const directory of [built, reformatted]) {
    expect(await conditions(db, directory)).toEqual(accountMigrations.map(() => 'edited'));
    expect(await migratorOf(db, directory).up()).toEqual([]);
  }
  for (const directory of [sources, built, reformatted, withCarriageReturns])
    expect(await conditions(db, directory)).toEqual(accountMigrations.map(() => 'applied'));
});

async function conditions(db: TestDatabase, directory: string): Promise<string[]> {
  return (await migratorOf(db, directory).status()).map(({ condition }) => condition);
}

test('ignores other output of a compiler', async () => {
  const text = stripTypeScriptTypes(
    `import { Migration } from '@mikro-orm/migrations'; export class A extends Migration { up(): void {} }`,
  );
  const directory = await directoryOf({
    'Migration1_a.js': text,
    'Migration1_a.d.ts': 'export declare class A {}',
    'Migration1_a.js.map': '{}',
    '.snapshot.json': '{}',
  });

  expect(await migratorOf(await emptyDatabase(), directory).status()).toMatchObject([
    { name: 'Migration1_a', condition: 'pending' },
  ]);
});

test.each([
  [
    'no migration',
    `export const a = 1`,
    'exports no migration: export a class that extends Migration, such as Migration1_a',
  ],
  ['a class without up', `export class A { down() {} }`, 'exports no migration'],
  ['a syntax error', `export class A extends`, "Migration1_a can't be loaded from "],
  ['a missing package', `import 'nowhere';`, "Cannot find package 'nowhere'"],
  ['a missing file', `import './gone.js';`, 'gone.js'],
  ['code that throws', `throw new Error('not configured');`, 'not configured'],
  ['code that throws a text', `throw 'not configured';`, 'not configured'],
  [
    'a constructor that throws',
    `export class A { constructor() { throw new Error('no driver'); } up() {} }`,
    'no driver',
  ],
  [
    'an invalid setting',
    `import { Migration } from '@mikro-orm/migrations'; export class A extends Migration { lockTimeout = '1s'; up() {} }`,
    'lockTimeout: 1s is not a time in milliseconds',
  ],
])('names the migration, the file and the reason for %s', async (_, text, says) => {
  const directory = await directoryOf({ 'Migration1_a.js': text });
  const path = join(directory, 'Migration1_a.js');

  const refused = migratorOf(await emptyDatabase(), directory).up();

  await expect(refused).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining(path) });
  await expect(refused).rejects.toThrow('Migration1_a');
  await expect(refused).rejects.toThrow(says);
});

test('names a missing directory', async () => {
  await expect(migratorOf(await emptyDatabase(), '/nowhere').status()).rejects.toThrow(
    `can't read the migrations in /nowhere: set migrations.path`,
  );
});

test('refuses a file and its built one in one directory', async () => {
  const text = `import { Migration } from '@mikro-orm/migrations'; export class A extends Migration { up() {} }`;
  const directory = await directoryOf({ 'Migration1_a.js': text, 'Migration1_a.ts': text });

  await expect(migratorOf(await emptyDatabase(), directory).up()).rejects.toThrow(
    'two migrations are named Migration1_a: rename or remove one',
  );
});

test('accepts a file with other exports', async () => {
  const text = `import { Migration } from '@mikro-orm/migrations';
    export function Aid() {} export class Aims {}
    export class Migration1 extends Migration { up() { this.addSql('select 1'); } }`;

  const migrator = migratorOf(await emptyDatabase(), await directoryOf({ 'Migration1.js': text }));

  expect(await migrator.up()).toMatchObject([{ name: 'Migration1' }]);
});

test('loads the files that match `migrations.glob`', async () => {
  const text = stripTypeScriptTypes(
    `import { Migration } from '@mikro-orm/migrations'; export class A extends Migration { up(): void {} }`,
  );
  const path = await directoryOf({ 'A.mjs': text, 'B.mjs': text, 'B.spec.mjs': `throw new Error('a test')` });
  const { url } = await emptyDatabase();
  const orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    migrations: { path, glob: '!(*.spec).mjs' },
  });
  onTestFinished(() => orm.close(true));

  expect((await new Migrator(orm).status()).map(({ name }) => name)).toEqual(['A.mjs', 'B.mjs']);
});
