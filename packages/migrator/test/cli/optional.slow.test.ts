import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import type { InstalledProject } from '../kit/installed-project.ts';
import { productsProject } from './products-project.ts';

const [product, byName] = ['Migration20260101000000_product', 'Migration20260102000000_by_name'];

const source = (name: string, up: string, down: string, members = '') => `
import { Migration } from '@mikro-orm/migrations';
export class ${name} extends Migration {
  ${members}
  override up(): void { this.addSql(\`${up}\`); }
  override down(): void { this.addSql('${down}'); }
}`;

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await productsProject(db);
  const table = 'create table product (id serial primary key, name varchar(255) not null)';
  await project.write(`migrations/${product}.ts`, source(product, table, 'drop table product'));
  const index = 'create index product_by_name on product (name)';
  const optional = `static readonly optional = 'finds products by their names';`;
  await project.write(
    `migrations/${byName}.ts`,
    source(byName, index, 'drop index product_by_name', optional),
  );
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

// One after the other, on one database.
describe('safe-migrations with an optional migration', () => {
  test('leaves it out, and says what it is for', async () => {
    expect(await project.run('up')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('1 applied, nothing is pending.'),
    });

    const { code, stdout } = await project.run('status', '--exit-code');
    expect(code).toBe(0);
    expect(stdout).toMatch(new RegExp(`${byName} +optional`));
    expect(stdout.replaceAll(/\s+/g, ' ')).toContain(
      `optional: ${byName}: finds products by their names; \`up --optional ${byName}\` applies it Current ${product}, 0 pending.`,
    );
    const planned = await project.run('plan');
    expect(planned.stdout).toBe(
      `-- Nothing to apply.\n-- Left out: ${byName} is optional: finds products by\n--   their names\n`,
    );
    expect(await project.run('check')).toMatchObject({ code: 0 });
  });

  test('prints its SQL, applies it and reverts it by its name', async () => {
    const planned = await project.run('plan', '--optional', byName);
    expect(planned.stdout).toContain(`-- ${byName}, up\n-- Optional: finds products by their names\n`);
    expect(planned.stdout).not.toContain('Left out');

    const applied = await project.run('up', '--optional', byName, '--json');
    expect(JSON.parse(applied.stdout)).toMatchObject({ applied: [{ name: byName, direction: 'up' }] });
    const status = await project.run('status', '--json');
    expect(JSON.parse(status.stdout).migrations).toMatchObject([
      { name: product, condition: 'applied', optional: null },
      { name: byName, condition: 'applied', optional: 'finds products by their names' },
    ]);
    expect(await project.run('check')).toMatchObject({ code: 0 });

    const reverted = await project.run(
      'down',
      '--optional',
      byName,
      '--json',
      '--confirm',
      db.target.parts.database,
    );
    expect(JSON.parse(reverted.stdout)).toMatchObject({ reverted: [{ name: byName, direction: 'down' }] });
  });

  test('exits with 1 for a name that is not one, and with 2 for another target besides', async () => {
    expect(await project.run('up', '--optional', product)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`${product} is not optional: leave it out of --optional`),
    });
    expect(await project.run('down', '--optional', byName, '--all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be used with'),
    });
  });

  test('records it where its SQL was run by hand', async () => {
    await db.orm.em.execute('create index product_by_name on product (name)');
    const check = await project.run('check');
    expect(check).toMatchObject({ code: 3, stdout: expect.stringContaining(`baseline ${byName}`) });

    const recorded = await project.run('baseline', byName, '--json', '--confirm', db.target.parts.database);

    expect(JSON.parse(recorded.stdout)).toMatchObject({ recorded: [byName] });
    expect(await project.run('check')).toMatchObject({ code: 0 });
  });
});
