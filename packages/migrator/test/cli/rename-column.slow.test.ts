import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import { InstalledProject } from '../kit/installed-project.ts';

// The name of the column, after it was created as `name`.
const renamed = { NAME: 'title' };

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  const configuration = `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
    const name = process.env['NAME'] ?? 'name';
    const Product = defineEntity({ name: 'Product', properties: { id: p.integer().primary(), [name]: p.string() } });
    export default defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Product] });`;
  project = await InstalledProject.create({ 'mikro-orm.config.ts': configuration }, { DATABASE_URL: db.url });
  for (const command of [['create', 'products'], ['up']]) await project.run(...command);
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

const run = (...args: readonly string[]) => project.runWith(renamed, ...args);

test('a column is renamed by two migrations, of which the first names the second', async () => {
  const expand = await run('create', 'titles', '--rename-column', 'product.name:title');
  expect(expand.code).toBe(0);
  expect(expand.stdout).toContain(
    'In a later release, when no running code uses product.name: safe-migrations create NAME --contract product.name\n',
  );
  expect(await run('up')).toMatchObject({ code: 0 });

  const waiting = 'Replaced: product.name, by title. When no running code uses it:';
  const [check, status, json] = [await run('check'), await run('status'), await run('status', '--json')];
  expect(check).toMatchObject({ code: 0 });
  expect(check.stdout).toContain(waiting);
  expect(status.stdout).toContain(waiting);
  expect(JSON.parse(json.stdout)).toMatchObject({
    replaced: [{ table: 'product', column: 'name', by: 'title' }],
  });

  const contract = await run('create', 'drop_name', '--contract', 'product.name', '--json');
  expect(Object.keys(JSON.parse(contract.stdout))).toEqual([
    'name',
    'path',
    'preceding',
    'following',
    'warnings',
    'certificates',
    'findings',
    'leftOut',
    'kept',
  ]);
  expect(await run('up')).toMatchObject({ code: 0 });
  const after = await run('check');
  expect(after).toMatchObject({ code: 0 });
  expect(after.stdout).not.toContain('Replaced');
});

test.each([
  [['--rename-column', 'product.name'], 2, '--rename-column product.name is invalid: use old:new'],
  [['--rename-column', 'product.nothing:title'], 1, 'migrations make no product.nothing'],
  [['--contract', 'product.nothing'], 1, '--contract product.nothing: the migrations replace no such column'],
])('%j is refused', async (args, code, message) => {
  const refused = await run('create', 'more', ...args);

  expect(refused).toMatchObject({ code, stdout: '' });
  expect(refused.stderr).toContain(message);
});
