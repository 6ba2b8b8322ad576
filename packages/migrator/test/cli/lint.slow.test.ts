import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import { InstalledProject } from '../kit/installed-project.ts';

const configuration = `import { defineConfig } from '@mikro-orm/postgresql';
  export default defineConfig({
    clientUrl: process.env['DATABASE_URL'], entities: [], discovery: { warnWhenNoEntities: false },
  });`;

function migration(name: string, up: string, members = ''): string {
  return `import { Migration } from '@mikro-orm/migrations';
    export class ${name} extends Migration {
      ${members}
      up() { this.addSql(${JSON.stringify(up)}); }
      down() {}
    }`;
}

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await InstalledProject.create(
    {
      'mikro-orm.config.ts': configuration,
      'migrations/Migration1.ts': migration(
        'Migration1',
        'create table orders (id int primary key, number int)',
      ),
    },
    { DATABASE_URL: db.url },
  );
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

describe('safe-migrations lint', () => {
  test('is one line where nothing is found', async () => {
    expect(await project.run('lint')).toEqual({
      code: 0,
      stdout: '1 migration linted, nothing found.\n',
      stderr: '',
    });
  });

  test('prints each finding with a safe form, and exits with 3', async () => {
    await project.write(
      'migrations/Migration2.ts',
      migration('Migration2', 'create index orders_number on orders (number)'),
    );

    expect(await project.run('lint')).toEqual({
      code: 3,
      stdout: `Migration2, up, statement 1
  rule    create-index: index orders_number
  sql     create index orders_number on orders (number)
  lock    ShareLock on orders, held while the index is built
  blocks  writes
  safe    -- in a migration whose isTransactional() returns false, as one text
          CREATE INDEX CONCURRENTLY orders_number ON public.orders USING btree (number);
  page    docs/lint/create-index.md

2 migrations linted, 1 finding.
`,
      stderr: '',
    });
    expect(await project.run('lint', 'Migration1')).toMatchObject({ code: 0 });
  });

  test('prints JSON', async () => {
    const { code, stdout } = await project.run('lint', '--all', '--json');

    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      migrations: ['Migration1', 'Migration2'],
      findings: [{ migration: 'Migration2', rule: 'create-index', blocks: 'writes' }],
      silenced: [],
      notLinted: [],
      leftOut: [],
    });
  });

  test('counts what is silenced, and names what failed', async () => {
    await project.write(
      'migrations/Migration2.ts',
      migration(
        'Migration2',
        'create index orders_number on orders (number)',
        `static lint = { 'create-index': 'twenty rows' };`,
      ),
    );
    expect(await project.run('lint')).toMatchObject({
      code: 0,
      stdout: '2 migrations linted, nothing found, 1 silenced.\n',
    });
    await project.write('migrations/Migration3.ts', migration('Migration3', 'drop table none'));

    expect(await project.run('lint')).toMatchObject({
      code: 3,
      stdout:
        'not linted: Migration3, up: table "none" does not exist\n2 migrations linted, nothing found, 1 silenced.\n',
    });
  });

  test('says that nothing is pending', async () => {
    await using empty = await InstalledProject.create(
      { 'mikro-orm.config.ts': configuration, 'migrations/list.txt': '' },
      { DATABASE_URL: db.url },
    );

    expect(await empty.run('lint')).toEqual({ code: 0, stdout: 'Nothing is pending.\n', stderr: '' });
  });

  test.each([
    [['lint', '--all', 'Migration1'], 2, '--all and names exclude each other'],
    [['lint', 'Migration9'], 1, 'there is no migration "Migration9"'],
    [['lint', '--scratch-url', 'nowhere'], 1, 'the URL of the scratch server is invalid'],
  ])('%j', async (args, code, says) => {
    expect(await project.run(...args)).toMatchObject({ code, stderr: expect.stringContaining(says) });
  });

  test('its pages are in the package', async () => {
    const { stdout } = await project.run('lint', '--help');

    expect(stdout).toContain('exit with 3');
    await expect(project.migrationsIn('node_modules/mikro-orm-safe-migrations/docs/lint')).resolves.toContain(
      'create-index.md',
    );
  });
});
