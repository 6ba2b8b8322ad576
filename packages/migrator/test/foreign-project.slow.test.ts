import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDatabase } from './kit/database.ts';

const migratorPackage = join(import.meta.dirname, '..');
const modules = join(migratorPackage, '../../node_modules');

const files = {
  'package.json': '{ "type": "module" }',
  'entities.ts': `
    import { defineEntity, p } from '@mikro-orm/postgresql';
    export const Supplier = defineEntity({ name: 'Supplier', properties: { id: p.integer().primary(), name: p.string() } });
    export const Product = defineEntity({
      name: 'Product',
      properties: {
        id: p.integer().primary(),
        name: p.string(),
        searchName: p.string().nullable(),
        supplier: () => p.manyToOne(Supplier),
      },
    });
    export const Sale = defineEntity({
      name: 'Sale',
      properties: { id: p.integer().primary(), at: p.datetime(), product: () => p.manyToOne(Product) },
    });`,
  'mikro-orm.config.ts': `
    import { Migrator } from '@mikro-orm/migrations';
    import { defineConfig } from '@mikro-orm/postgresql';
    import * as entities from './entities.ts';
    export const config = defineConfig({
      clientUrl: process.env['DATABASE_URL'],
      schema: 'shop',
      entities: Object.values(entities),
      extensions: [Migrator],
      migrations: { path: import.meta.dirname + '/migrations', tableName: 'ops.migration_log', snapshot: false },
    });`,
  // The ORM's own generator, as such a project has used it all along.
  'create.ts': `
    import { MikroORM } from '@mikro-orm/postgresql';
    import { config } from './mikro-orm.config.ts';
    const orm = new MikroORM(config);
    await orm.migrator.create(undefined, false, false, 'first');
    await orm.close(true);`,
};

let db: TestDatabase;
let project: string;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await mkdtemp(join(await realpath(tmpdir()), 'safe-migrations-'));
  // This package as it is here: links lead out of node_modules, where Node runs no TypeScript.
  const manifest = {
    name: 'mikro-orm-safe-migrations',
    type: 'module',
    exports: { '.': './src/index.ts' },
  };
  await put('linked/package.json', JSON.stringify(manifest));
  await symlink(join(migratorPackage, 'src'), join(project, 'linked/src'));
  await mkdir(join(project, 'node_modules'));
  await symlink(join(project, 'linked'), join(project, 'node_modules/mikro-orm-safe-migrations'));
  await symlink(join(modules, '@mikro-orm'), join(project, 'node_modules/@mikro-orm'));
  for (const [name, text] of Object.entries(files)) await put(name, text);
});
afterAll(async () => {
  await rm(project, { recursive: true });
  await db.drop();
});

async function put(name: string, text: string): Promise<void> {
  await mkdir(dirname(join(project, name)), { recursive: true });
  await writeFile(join(project, name), text);
}

/** Returns the file of this name that a page shows. */
async function fromPage(page: string, name: string): Promise<string> {
  const guide = await readFile(join(migratorPackage, page), 'utf8');
  const block = guide.split(/^```\w*\n/m).find((text) => text.startsWith(`// ${name}\n`));
  if (block === undefined) throw new Error(`${page} shows no ${name}`);
  return block.split('```')[0] ?? '';
}

async function run(script: string, ...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], DATABASE_URL: db.url };
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...args], { cwd: project, env });
  return stdout;
}

interface Told {
  readonly name: string;
  readonly condition?: string;
}

async function migrate(...args: string[]): Promise<Told[]> {
  return JSON.parse(await run('migrate.ts', ...args));
}

const names = (list: readonly Told[]) => list.map(({ name }) => name);

test("a project adopts the migrator's API in ten lines", async () => {
  const script = await fromPage('README.md', 'migrate.ts');
  expect(
    script.split('\n').filter((line) => line !== '' && !line.startsWith('//')).length,
  ).toBeLessThanOrEqual(10);
  await put('migrate.ts', script);
  await run('create.ts');
  const lower = 'Migration20270102000000_lower_names';
  const text = await fromPage('docs/guide.md', 'migrations/Migration20260102000000_lower_names.ts');
  await put(`migrations/${lower}.ts`, text.replaceAll('Migration20260102000000_lower_names', lower));

  const [first = ''] = names(await migrate('up'));

  expect(first).toMatch(/^Migration\d+_first$/);
  expect(await migrate('status')).toMatchObject([
    { name: first, condition: 'applied' },
    { name: lower, condition: 'applied' },
  ]);
  expect(names(await migrate('down', first))).toEqual([lower]);
  await db.orm.em.execute(`
    insert into shop.supplier values (1, 'Acme');
    insert into shop.product select i, 'NAME ' || i, null, 1 from generate_series(1, 12_000) i`);
  expect(names(await migrate())).toEqual([lower]);
  expect(
    await db.orm.em.execute(`select count(*)::int as n from shop.product where search_name ~ '^name'`),
  ).toEqual([{ n: 12_000 }]);
  expect(names(await migrate('down'))).toEqual([lower]);
  expect(names(await migrate('down'))).toEqual([first]);
  expect(await migrate('down')).toEqual([]);
  expect(
    await db.orm.em.execute(
      `select to_regnamespace('shop') as shop, to_regclass('ops.migration_log') as log`,
    ),
  ).toEqual([{ shop: null, log: 'ops.migration_log' }]);
  expect(names(await migrate('up', lower))).toEqual([first, lower]);
});
