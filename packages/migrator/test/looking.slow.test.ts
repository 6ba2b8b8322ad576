import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MikroORM, type MigrationObject } from '@mikro-orm/postgresql';
import { Migration } from '@mikro-orm/migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator, createMigration } from 'mikro-orm-safe-migrations';
import { emptyDatabase, ormOn, type TestDatabase } from './kit/database.ts';

/** How often `up` and `down` of each migration were called. */
const calls = new Map<string, number>();
const count = (what: string): void => void calls.set(what, (calls.get(what) ?? 0) + 1);

class First extends Migration {
  override up(): void {
    count('First.up');
    this.addSql('create table first (id int)');
  }

  override down(): void {
    count('First.down');
    this.addSql('drop table first');
  }
}

class Second extends Migration {
  override async up(): Promise<void> {
    count('Second.up');
    await this.execute('select 1');
    this.addSql('create table second (id int)');
  }

  override async down(): Promise<void> {
    count('Second.down');
    await this.execute('select 1');
    this.addSql('drop table second');
  }
}

class Third extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    count('Third.up');
    this.addSql('create table third (id int)');
  }

  override down(): void {
    count('Third.down');
    this.addSql('drop table third');
  }
}

const chain = [First, Second, Third].map((Class) => ({ name: `Migration1_${Class.name}`, class: Class }));

async function migratorWith(list: readonly MigrationObject[], db?: TestDatabase): Promise<Migrator> {
  const orm = ormOn(db ?? (await emptyDatabase()), {});
  orm.config.get('migrations').migrationsList = [...list];
  return new Migrator(orm);
}

/** What `work` calls. */
async function callsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  calls.clear();
  await work();
  return Object.fromEntries(calls);
}

describe('user code', () => {
  const once = { 'First.up': 1, 'Second.up': 1, 'Third.up': 1 };

  test('is not run by status, before and after up', async () => {
    const migrator = await migratorWith(chain);

    expect(await callsOf(() => migrator.status())).toEqual({});
    await migrator.up();
    expect(await callsOf(() => migrator.status())).toEqual({});
  });

  test('is run once for each pending migration by up, and never again', async () => {
    const migrator = await migratorWith(chain);

    expect(await callsOf(() => migrator.up({ to: 'Migration1_Second' }))).toEqual({
      'First.up': 1,
      'Second.up': 1,
    });
    expect(await callsOf(() => migrator.up())).toEqual({ 'Third.up': 1 });
    expect(await callsOf(() => migrator.up())).toEqual({});
  });

  test('is run once by plan for what it prints', async () => {
    const migrator = await migratorWith(chain);

    expect(await callsOf(() => migrator.planUp())).toEqual(once);
    await migrator.up();
    expect(await callsOf(() => migrator.planUp())).toEqual({});
    expect(await callsOf(() => migrator.planDown())).toEqual({ 'Third.down': 1 });
  });

  test('is run by check once for each migration, on its scratch database', async () => {
    const migrator = await migratorWith(chain);
    await migrator.up();

    expect(await callsOf(() => migrator.check())).toEqual(once);
  });

  test('is run by baseline and create without verify once for each migration, on a scratch database', async () => {
    const db = await emptyDatabase();
    await db.orm.em.execute('create table first (id int)');
    const migrator = await migratorWith(chain, db);
    expect(await callsOf(() => migrator.baseline('Migration1_First'))).toEqual({ 'First.up': 1 });

    const directory = await mkdtemp(join(tmpdir(), 'migrations-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const orm = ormOn(db, {});
    Object.assign(orm.config.get('migrations'), { migrationsList: chain, path: directory });

    const drops = ['first', 'second', 'third'];
    expect(await callsOf(() => createMigration(orm, 'nothing', { drops, verify: false }))).toEqual(once);
  });
});

describe('the connected database, seen by migrations with a client of their own', () => {
  test.each(['status', 'check'] as const)('is unchanged by %s', async (command) => {
    const db = await emptyDatabase();
    await db.orm.em.execute('create table audit as select generate_series(1, 1000) as id');
    const truncate = (): Promise<unknown> => db.orm.em.fork().execute('truncate audit');
    class Truncates extends Migration {
      override up(): void {
        this.addSql('create table made (id int)');
      }

      override async down(): Promise<void> {
        await truncate();
      }
    }
    const migrator = await migratorWith([{ name: 'Truncates', class: Truncates }], db);
    await migrator.up();

    await migrator[command]();
    await migrator.up();
    await migrator.planUp();

    expect(await db.orm.em.execute('select count(*)::int as count from audit')).toEqual([{ count: 1_000 }]);
  });
});

/** A project of migration files, on a database of its own. */
async function projectOf(files: Record<string, string>) {
  const db = await emptyDatabase();
  const directory = await mkdtemp(join(tmpdir(), 'migrations-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(join(import.meta.dirname, '../../../node_modules'), join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  let version = 0;
  const project = {
    db,
    write: async (name: string, text: string) => writeFile(join(directory, name), text),
    /** A migrator as of a new process: each module is loaded again from a copy of the directory. */
    migrator: async (): Promise<Migrator> => {
      const copy = `${directory}-${++version}`;
      onTestFinished(() => rm(copy, { recursive: true }));
      await cp(directory, copy, { recursive: true, verbatimSymlinks: true });
      const orm = new MikroORM({
        clientUrl: db.url,
        entities: [],
        discovery: { warnWhenNoEntities: false },
        migrations: { path: copy },
      });
      onTestFinished(() => orm.close(true));
      return new Migrator(orm);
    },
  };
  for (const [name, text] of Object.entries(files)) await project.write(name, text);
  return project;
}

const written = (up: string, more = ''): string => `import { Migration } from '@mikro-orm/migrations';
${more}
export class A extends Migration {
  up() {
    ${up}
  }
}
`;
const original = written(`this.addSql('create table a (id int)');`);

describe('an applied file', () => {
  test.each([
    ['reformatted', original.replaceAll('\n', '\n\n').replace('{', ' {')],
    ['with a comment', `// Says more.\n${original}`],
    [
      'minified',
      `import{Migration as m}from'@mikro-orm/migrations';export class A extends m{up(){this.addSql("create table a (id int)")}}`,
    ],
    ['with other quotes', original.replaceAll(`'create table a (id int)'`, '`create table a (id int)`')],
    ['with a constant', written('this.addSql(`create table ${name} (id int)`);', `const name = 'a';`)],
    ['with a down', original.replace('  up() {', `  down() { this.addSql('drop table a'); }\n  up() {`)],
  ])('%s is the same, and recorded as such by up', async (_what, text) => {
    const project = await projectOf({ 'Migration1.js': original });
    await (await project.migrator()).up();
    await project.write('Migration1.js', text);

    expect(await (await project.migrator()).status()).toMatchObject([{ condition: 'edited' }]);
    expect(await (await project.migrator()).up()).toEqual([]);
    expect(await (await project.migrator()).status()).toMatchObject([{ condition: 'applied' }]);
    expect(
      await project.db.orm.em.execute('select direction, outcome from migrator.history order by id'),
    ).toEqual([
      { direction: 'up', outcome: 'done' },
      { direction: 'text', outcome: 'done' },
    ]);
  });

  test('with Windows line ends is the same already for status', async () => {
    const project = await projectOf({ 'Migration1.js': original });
    await (await project.migrator()).up();
    await project.write('Migration1.js', original.replaceAll('\n', '\r\n'));

    expect(await (await project.migrator()).status()).toMatchObject([{ condition: 'applied' }]);
  });

  test('with other SQL is refused', async () => {
    const project = await projectOf({ 'Migration1.js': original });
    await (await project.migrator()).up();
    await project.write('Migration1.js', original.replace('int', 'bigint'));

    await expect((await project.migrator()).up()).rejects.toThrow(
      'Migration1 was edited after it was applied',
    );
    await expect((await project.migrator()).down()).rejects.toThrow(
      'Migration1 was edited after it was applied',
    );
  });

  test.each([
    ['throws today', written(`throw new Error('not any more');`)],
    ['imports something gone', `import 'gone';\n${original}`],
    ['has a syntax error', `${original}}`],
    [
      'reads the context',
      written(`if (!this.ctx) this.addSql('select 1'); else this.addSql('create table a (id int)');`),
    ],
    ['queries the database', written(`await this.execute('select 1');`).replace('up()', 'async up()')],
    ['exports nothing', 'export {};'],
  ])('that %s is unknown, and stops nothing else', async (_what, text) => {
    const project = await projectOf({ 'Migration1.js': original });
    await (await project.migrator()).up();
    await project.write('Migration1.js', text);
    await project.write(
      'Migration2.js',
      original.replace('table a', 'table b').replace('class A', 'class B'),
    );

    expect(await (await project.migrator()).status()).toMatchObject([
      { condition: 'edited' },
      { condition: 'pending' },
    ]);
    expect(await (await project.migrator()).up()).toMatchObject([{ name: 'Migration2' }]);
  });
});

test('a pending file that can not be loaded is refused by its name, before anything is applied', async () => {
  const project = await projectOf({ 'Migration1.js': original, 'Migration2.js': `import 'gone';` });

  await expect((await project.migrator()).up()).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining("Migration2 can't be loaded from "),
  });
  expect(await project.db.orm.em.execute(`select to_regclass('a') as a`)).toEqual([{ a: null }]);
});

const made = (table: string) =>
  class extends Migration {
    override up(): void {
      this.addSql(`create table ${table} (id int)`);
    }
  };

const list = (first: string) => [
  { name: 'M1', class: made(first) },
  { name: 'M2', class: made('b') },
];

test('classes of a factory, which have one text, are compared by their SQL', async () => {
  const db = await emptyDatabase();
  await (await migratorWith(list('a'), db)).up();

  expect(await (await migratorWith(list('a'), db)).up()).toEqual([]);
  await expect((await migratorWith(list('c'), db)).up()).rejects.toThrow('M1 was edited');
});
