import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  MigrationRefusedError,
  Migrator,
  backfill,
  squashMigrations,
  standalone,
} from 'mikro-orm-safe-migrations';
import { readCatalog } from '../src/catalog/catalog.ts';
import { replacesIn } from '../src/files/replaces.ts';
import { emptyDatabase, type TestDatabase } from './kit/database.ts';
import { readRows } from './kit/read-rows.ts';

const modules = join(import.meta.dirname, '../../../node_modules');

interface Written {
  readonly up: readonly string[] | string;
  readonly down?: readonly string[] | null;
  readonly transactional?: boolean;
}

function adding(sqls: readonly string[]): string {
  return sqls.map((sql) => `    this.addSql(${JSON.stringify(sql)});\n`).join('');
}

function sourceOf(name: string, { up, down = [], transactional = true }: Written): string {
  return `import { Migration } from '@mikro-orm/migrations';
export class ${name} extends Migration {
  override isTransactional(): boolean { return ${transactional}; }
  override async up(): Promise<void> {
${typeof up === 'string' ? up : adding(up)}  }
${down === null ? '' : `  override async down(): Promise<void> {\n${adding(down)}  }\n`}}
`;
}

const nameOf = (index: number, title: string) => `Migration2026010${index + 1}000000_${title}`;

/** A project with files of migrations, in their order. */
async function projectOf(
  db: TestDatabase,
  migrations: Record<string, Written>,
  migrationOptions: Options['migrations'] = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-squash-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(modules, join(directory, 'node_modules'));
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  const path = join(directory, 'migrations');
  await mkdir(path);
  const names = Object.keys(migrations).map((title, index) => nameOf(index, title));
  for (const [index, written] of Object.values(migrations).entries())
    await writeFile(join(path, `${names[index]}.ts`), sourceOf(names[index] ?? '', written));
  return { path, names, open: () => openOrm(db, { path, ...migrationOptions }) };
}

function openOrm({ url }: TestDatabase, migrations: Options['migrations'] & object): MikroORM {
  const orm = new MikroORM({
    clientUrl: url,
    entities: [],
    discovery: { warnWhenNoEntities: false },
    logger: () => {},
    migrations: { snapshot: false, disableForeignKeys: false, ...migrations },
  });
  onTestFinished(() => orm.close(true));
  return orm;
}

/** What a database holds that a migration made. */
async function made({ orm }: TestDatabase) {
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em) };
}

const odd = String.raw`insert into note (body) values ('back\slash, ${'`'}tick${'`'}, ${'${'}not a template}, ☃')`;

const chain = {
  tables: {
    up: [
      'create table note (id serial primary key, body text not null)',
      `create function stamp() returns trigger language plpgsql as $$
  begin
    new.body := new.body || E'\n\t.'; -- a comment;
    return new;
  end
$$`,
      'create trigger stamp before insert on note for each row execute function stamp()',
    ],
    down: ['drop table note', 'drop function stamp'],
  },
  data: {
    up: [odd, `insert into note (body) values ('carriage\rreturn'), ('line\r\nend') -- twice`],
    down: ['truncate note restart identity'],
  },
  views: {
    up: ['create view notes as select id, body from note', `comment on view notes is 'all of them'`],
    down: ['drop view notes'],
  },
} satisfies Record<string, Written>;

describe('squash', () => {
  test('writes one migration with the same statements, and deletes the files that it replaces', async () => {
    const [db, fresh, used] = [await emptyDatabase(), await emptyDatabase(), await emptyDatabase()];
    const { path, names, open } = await projectOf(db, {
      ...chain,
      later: { up: ['create table later (id int)'], down: ['drop table later'] },
    });
    await new Migrator(openOrm(used, { path })).up();
    const expected = await made(used);
    const [, , third = '', later = ''] = names;

    const squash = await squashMigrations(open(), { to: third });

    const name = 'Migration20260103000000_squash';
    expect(squash).toEqual({
      name,
      path: join(path, `${name}.ts`),
      replaces: names.slice(0, 3),
      deleted: names.slice(0, 3).map((one) => join(path, `${one}.ts`)),
      reversible: true,
      notCompared: [],
      leftOut: [],
    });
    expect(await readdir(path)).toEqual([`${name}.ts`, `${later}.ts`]);
    const statements = await new Migrator(openOrm(fresh, { path })).planUp({ from: null, to: name });
    expect(statements[0]?.statements.slice(2, -1)).toEqual([
      ...chain.tables.up,
      ...chain.data.up,
      ...chain.views.up,
    ]);
    await new Migrator(openOrm(fresh, { path })).up();
    expect(await made(fresh)).toEqual(expected);
    expect(await new Migrator(openOrm(used, { path })).up()).toEqual([]);
    expect(await made(used)).toEqual(expected);
    expect((await new Migrator(openOrm(used, { path })).check()).migrations).toEqual([]);
    await new Migrator(openOrm(used, { path })).down({ all: true });
    expect((await made(used)).rows).toEqual({});
    // Nothing was changed in the connected database.
    expect((await made(db)).rows).toEqual({});
  });

  test('leaves no scratch database', async () => {
    const db = await emptyDatabase();
    const { open } = await projectOf(db, chain);

    await squashMigrations(open(), { to: nameOf(2, 'views') });

    const rows = await db.orm.em.execute(
      `select datname from pg_database where datname like 'migrator_scratch_%' and pg_catalog.shobj_description(oid, 'pg_database') is null and datname = any(array(select datname from pg_stat_activity))`,
    );
    expect(rows).toEqual([]);
  });

  test('runs statement by statement where one of the migrations does, each other one in its own transaction', async () => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, {
      tables: {
        up: [
          'create temp table source on commit drop as select generate_series(1, 5) as id',
          'create table kept as select id, id * 2 as twice from source -- from it',
          'alter table kept add primary key (id)',
        ],
        down: ['drop table kept'],
      },
      index: {
        up: [
          'create index concurrently kept_id on kept (id)',
          'vacuum kept',
          standalone('analyze kept', { idempotent: true }),
        ],
        down: ['drop index concurrently kept_id'],
        transactional: false,
      },
      data: {
        up: [backfill('kept', { by: 'id', set: 'twice = twice + 1', batch: 2 })],
        transactional: false,
      },
    });

    const squash = await squashMigrations(open(), { to: nameOf(2, 'data'), name: 'first_release' });

    expect(squash).toMatchObject({ name: 'Migration20260103000000_first_release', reversible: true });
    await new Migrator(openOrm(fresh, { path })).up();
    expect((await made(fresh)).rows).toEqual({ kept: ['(1,3)', '(2,5)', '(3,7)', '(4,9)', '(5,11)'] });
  });

  test('does not compare columns whose values differ each time, and reports them', async () => {
    const db = await emptyDatabase();
    const { open } = await projectOf(db, {
      tables: {
        up: [
          'create table person (id uuid default gen_random_uuid(), name text, at timestamptz default clock_timestamp())',
        ],
        down: ['drop table person'],
      },
      data: { up: [`insert into person (name) values ('Ada'), ('Grace')`] },
    });

    const { notCompared } = await squashMigrations(open(), { to: nameOf(1, 'data') });

    expect(notCompared).toEqual(['public.person.id', 'public.person.at']);
  });

  test('has no `down` where a migration has none', async () => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, { ...chain, gone: { up: ['drop view notes'], down: null } });

    expect(await squashMigrations(open(), { to: nameOf(3, 'gone') })).toMatchObject({ reversible: false });

    const migrator = new Migrator(openOrm(fresh, { path }));
    await migrator.up();
    await expect(migrator.down()).rejects.toThrow("can't be reverted");
  });

  test('squashes a squash', async () => {
    const [db, used] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, chain);
    await new Migrator(openOrm(used, { path })).up();
    const expected = await made(used);

    await squashMigrations(open(), { to: nameOf(1, 'data') });
    await new Migrator(openOrm(used, { path })).up();
    const squash = await squashMigrations(open(), { to: nameOf(2, 'views'), name: 'again' });

    expect(squash.replaces).toEqual(['Migration20260102000000_squash', nameOf(2, 'views')]);
    expect(await new Migrator(openOrm(used, { path })).up()).toEqual([]);
    expect((await new Migrator(openOrm(used, { path })).status()).map(({ condition }) => condition)).toEqual([
      'applied',
    ]);
    expect(await made(used)).toEqual(expected);
  });

  test.each<[string, Options['migrations'] & object, string]>([
    ['a module of JavaScript', { emit: 'js' }, 'js'],
    ['CommonJS', { emit: 'cjs' }, 'cjs'],
  ])('is %s where the configuration says so', async (_, options, extension) => {
    const [db, fresh] = [await emptyDatabase(), await emptyDatabase()];
    const { path, open } = await projectOf(db, chain, options);

    const squash = await squashMigrations(open(), { to: nameOf(2, 'views') });

    expect(await readdir(path)).toEqual([`${squash.name}.${extension}`]);
    const runs = await new Migrator(openOrm(fresh, { path })).up();
    expect(runs.map(({ name }) => name.replace('.cjs', ''))).toEqual([squash.name]);
  });

  test('is in the folder of the last one, and is read there without running its code', async () => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, chain, { glob: '**/!(*.d).{js,ts}' });
    await mkdir(join(path, '2026'));
    for (const name of names) {
      await writeFile(join(path, '2026', `${name}.ts`), await readFile(join(path, `${name}.ts`)));
      await rm(join(path, `${name}.ts`));
    }
    await new Migrator(open()).up();

    const squash = await squashMigrations(open(), { to: names[1] ?? '' });

    expect(dirname(squash.path)).toBe(join(path, '2026'));
    await writeFile(squash.path, `throw new Error('it ran');\n${await readFile(squash.path, 'utf8')}`);
    expect((await new Migrator(open()).status()).map(({ condition }) => condition)).toEqual([
      'takeover',
      'applied',
    ]);
  });
});

describe('squash refuses, and writes and deletes nothing', () => {
  const table: Written = { up: ['create table a (id int)'], down: ['drop table a'] };
  const cases: Record<string, readonly [Record<string, Written>, string, string?]> = {
    'a migration that executes a query': [
      { table, query: { up: `await this.execute('insert into a values (1)');` } },
      `${nameOf(1, 'query')} queries the database`,
    ],
    'a migration that uses the entity manager': [
      { table, query: { up: `await this.getEntityManager().execute('select 1');` } },
      `${nameOf(1, 'query')} queries the database`,
    ],
    'a migration that throws': [
      { table, broken: { up: `throw new Error('not today');` } },
      `${nameOf(1, 'broken')} throws "not today"`,
    ],
    'all of these at once': [
      { table, one: { up: `await this.execute('select 1');` }, two: { up: `throw new Error('x');` } },
      `${nameOf(1, 'one')} queries the database, so that its statements depend on it\n  ${nameOf(2, 'two')} throws "x"`,
    ],
    'statements that need separate transactions': [
      {
        tables: {
          up: [
            'create table a (id int primary key)',
            'create table b (a int references a deferrable initially deferred)',
          ],
        },
        data: { up: ['insert into b values (1)', 'insert into a values (1)'] },
        column: { up: ['alter table b add c int'] },
      },
      `the statements of ${nameOf(2, 'column')} can't be part of a squash`,
    ],
    'rows that depend on the transactions': [
      {
        tables: { up: ['create table a (n int)'], down: ['drop table a'] },
        one: { up: ['insert into a values (0)'] },
        two: { up: ['insert into a values (0)'] },
        count: { up: ['insert into a select count(distinct xmin::text) from a'] },
      },
      'public.a: the rows or values differ',
    ],
    'values of a sequence that depend on the transactions': [
      {
        tables: {
          up: ['create table a (n int)', 'create sequence s'],
          down: ['drop table a', 'drop sequence s'],
        },
        one: { up: ['insert into a values (0)'] },
        two: { up: ['insert into a values (0)'] },
        count: { up: [`select setval('s', (select count(distinct xmin::text) from a))`] },
      },
      'public.s: the rows or values differ',
    ],
    'a schema that depends on the transactions': [
      {
        tables: { up: ['create table a (n int)'], down: ['drop table a'] },
        one: { up: ['insert into a values (0)'] },
        two: { up: ['insert into a values (0)'] },
        count: {
          up: [
            `do $$ begin if (select count(distinct xmin::text) from a) > 1 then create table b (); end if; end $$`,
          ],
        },
      },
      'table b: made by the migrations, not by the squash',
    ],
    'what a connection of its own does': [
      {
        table,
        own: {
          up: `const { Client } = await import('pg'); const { clientUrl, dbName } = this.config.getAll();
               const url = new URL(clientUrl); url.pathname = dbName;
               const client = new Client(url.href); await client.connect();
               await client.query('create table if not exists own_' + Date.now() + Math.floor(Math.random() * 1000) + ' ()'); await client.end();`,
        },
      },
      "can't be part of a squash|differs from its migrations",
    ],
    'a `down` with another result': [
      {
        tables: { up: ['create table a (n int)'], down: ['drop table a'] },
        one: { up: ['insert into a values (0)'] },
        two: {
          up: ['insert into a values (0)'],
          down: [
            `do $$ begin if (select count(distinct xmin::text) from a) > 1 then create table b (); end if; end $$`,
          ],
        },
      },
      'after `down`; nothing was written',
    ],
    'only one migration': [{ table }, 'a squash needs at least two'],
    'an unknown one': [{ table, more: { up: [] } }, 'there is no migration "Migration9"', 'Migration9'],
    'a name that would not sort before the next': [
      { table, more: { up: [] } },
      '"no name" can\'t name a migration',
      nameOf(1, 'more'),
    ],
  };

  test.each(Object.entries(cases))('%s', async (title, [migrations, says, to]) => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, migrations);
    const before = await readdir(path);

    const refused = squashMigrations(open(), {
      to: to ?? names.at(-1) ?? '',
      ...(title.startsWith('a name') && { name: 'no name' }),
    });

    await expect(refused).rejects.toThrow(MigrationRefusedError);
    await expect(refused).rejects.toThrow(says.includes('|') ? new RegExp(says) : says);
    expect(await readdir(path)).toEqual(before);
  });

  test('a name that sorts after the next migration', async () => {
    const db = await emptyDatabase();
    const { path, names, open } = await projectOf(db, { table, more: { up: [] } });
    await writeFile(join(path, 'Migration20260102000000_pending.ts'), sourceOf('Pending', { up: [] }));

    await expect(squashMigrations(open(), { to: names[1] ?? '' })).rejects.toThrow(
      'would not sort before Migration20260102000000_pending: choose another --name',
    );
    await squashMigrations(open(), { to: names[1] ?? '', name: 'first' });
  });
});

describe('what a migration replaces, by its text', () => {
  const list = `['A_1', "B-2"]`;

  test.each([
    `class S extends Migration { static readonly replaces = ${list}; }`,
    `class S extends Migration { static readonly replaces: readonly string[] = ${list}; }`,
    `class S extends Migration { static readonly replaces = ${list} as const; }`,
    `class S extends Migration { static override replaces: string[] = [\n  // the first\n  'A_1',\n  "B-2",\n ] satisfies string[]; }`,
    'class a extends b{static replaces=["A_1","B-2"];up(){}}',
    'class a extends b{static replaces=[`A_1`,`B-2`]}',
    `class S extends Migration {}\nS.replaces = ${list};`,
    `__publicField(S, "replaces", ["A_1", "B-2"]);`,
    `_define_property(S, 'replaces', ${list});`,
    `Object.defineProperty(S, "replaces", { enumerable: true, configurable: true, writable: true, value: ["A_1", "B-2"] });`,
    stripTypeScriptTypes(
      `class S extends Migration { static readonly replaces: readonly string[] = ${list}; }`,
    ),
  ])('is read from %s', (text) => {
    expect(replacesIn(text)).toEqual(['A_1', 'B-2']);
  });

  test.each([
    '/** Replaces `a` by [b]. */ class S {}',
    `this.addSql("create or replace function replaces() returns text[] language sql as 'select ''{}''::text[]'")`,
    `const replaces = (a) => ['x'];`,
    `if (replaces === ['x']) {}`,
    'class S { static replaces = []; }',
  ])('is nothing in %s', (text) => {
    expect(replacesIn(text)).toEqual([]);
  });

  test.each([
    ['computed', `static readonly replaces = [...['Migration1_a', 'Migration1_b']].toReversed();`],
    ['of an instance', `readonly replaces = ['Migration1_a'];`],
    ['from a constant', `static readonly replaces = earlier;`],
  ])('is refused where it is %s, because the class differs', async (_, declared) => {
    const db = await emptyDatabase();
    const { path, open } = await projectOf(db, {});
    await writeFile(
      join(path, 'Migration1_c.ts'),
      `import { Migration } from '@mikro-orm/migrations';\nconst earlier = ['Migration1_a'];
       export class C extends Migration { ${declared} override up(): void { void earlier; } }`,
    );

    await expect(new Migrator(open()).up()).rejects.toThrow(
      "write static readonly replaces = ['…'], with the names as literals",
    );
  });
});
