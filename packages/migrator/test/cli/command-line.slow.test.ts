import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  });
});
