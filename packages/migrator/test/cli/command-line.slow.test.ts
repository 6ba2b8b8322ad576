import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import type { InstalledProject } from '../kit/installed-project.ts';
import { productsProject } from './products-project.ts';

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await productsProject(db);
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

describe('safe-migrations in a project that only installed it', () => {
  test('creates, plans, applies, compares and reverts', async () => {
    expect(await project.run('create', 'products')).toMatchObject({ code: 0, stderr: '' });
    const [name = ''] = await project.migrationsIn('migrations');
    expect(await project.run('status', '--exit-code')).toMatchObject({ code: 3 });
    const planned = await project.run('plan', '--from', 'none');
    expect(planned.stdout).toContain('create table "product"');

    const applied = await project.run('up', '--json');

    expect(JSON.parse(applied.stdout)).toMatchObject({ applied: [{ name, direction: 'up' }] });
    expect(await project.run('check')).toMatchObject({ code: 0 });
    await db.orm.em.execute(`insert into product values (1, 'chair')`);
    const [row] = await db.orm.em.execute<{ name: string }[]>('select current_database() as name');
    expect(await project.run('down')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining(`safe-migrations down --confirm ${row?.name}`),
    });
    const reverted = await project.run('down', '--confirm', row?.name ?? '');
    expect(reverted).toMatchObject({ code: 0, stdout: expect.stringContaining(`reverted ${name}`) });
  });

  test('reports drift in status and up, and refuses it with --refuse-drift', async () => {
    await project.run('up');
    expect((await project.run('status', '--exit-code')).code).toBe(0);
    await db.orm.em.execute('create index product_by_name on product (name)');
    const lines =
      'The schema differs from what the last run left:\n  table product: index product_by_name: added\n';

    expect(await project.run('status')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`pending\\.\\n${lines}$`)),
      stderr: '',
    });
    expect((await project.run('status', '--exit-code')).code).toBe(3);
    const [status, up] = [await project.run('status', '--json'), await project.run('up', '--json')];
    const differences = [
      { object: 'table product', part: 'index product_by_name', fact: null, expected: null, found: 'there' },
    ];
    expect(JSON.parse(status.stdout)).toMatchObject({ drift: { unknown: null, differences } });
    expect(JSON.parse(up.stdout)).toMatchObject({ applied: [], drift: differences });
    expect(await project.run('up')).toMatchObject({ code: 0, stderr: lines });
    expect(await project.run('up', '--refuse-drift')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('product_by_name: added'),
    });
    expect(await project.run('plan', '--refuse-drift')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('product_by_name: added'),
    });
    expect(await project.run('plan')).toMatchObject({ code: 0, stdout: '-- Nothing to apply.\n' });
  });

  test.each([
    ["query = 'older'", 'Drift is not known: another version of this package recorded the schema.'],
    [
      'server_version = 90600',
      'without expressions, definitions and privileges, until the next run, because the last run was on another major version of PostgreSQL.',
    ],
  ])('says in status why drift is not compared, after %s', async (change, line) => {
    await project.run('up');
    const { em } = db.orm;
    const [row] = await em.execute<{ version: number; query: string }[]>(
      'select server_version as version, query from migrator.catalog',
    );
    await em.execute(`update migrator.catalog set ${change}`);
    onTestFinished(async () => {
      await em.execute('update migrator.catalog set server_version = ?, query = ?', [
        row?.version,
        row?.query,
      ]);
    });

    const { code, stdout } = await project.run('status');

    expect(code).toBe(0);
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(line);
  });

  test('plans for a database that newer code has migrated only with --allow-ahead', async () => {
    const newer = 'Migration29990101000000_newer';
    await project.run('up');
    await db.orm.em.execute('insert into mikro_orm_migrations (name) values (?)', [newer]);
    onTestFinished(async () => {
      await db.orm.em.execute('delete from mikro_orm_migrations where name = ?', [newer]);
    });

    expect(await project.run('plan')).toMatchObject({ code: 1, stderr: expect.stringContaining(newer) });
    expect(await project.run('plan', '--allow-ahead')).toMatchObject({
      code: 0,
      stdout: '-- Nothing to apply.\n',
    });
  });

  test('plans which squash up would record in place of others', async () => {
    await project.run('up');
    const [former = ''] = await project.migrationsIn('migrations');
    const squash = 'Migration29980101000000_squash';
    const pathOf = (name: string) => join(project.directory, 'migrations', `${name}.ts`);
    const text = await readFile(pathOf(former), 'utf8');
    await rm(pathOf(former));
    await project.write(
      `migrations/${squash}.ts`,
      `import { Migration } from '@mikro-orm/migrations';
       export class ${squash} extends Migration { static readonly replaces = ['${former}']; override up() {} }`,
    );
    onTestFinished(async () => {
      await rm(pathOf(squash));
      await project.write(`migrations/${former}.ts`, text);
    });

    const { code, stdout } = await project.run('plan');

    expect(code).toBe(0);
    expect(stdout).toContain(`-- ${squash}: recorded as applied in place of these`);
    expect(stdout).toContain(`--   ${former}\n`);
  });
});
