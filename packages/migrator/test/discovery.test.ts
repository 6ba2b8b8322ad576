import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Migration, Migrator as OrmMigrator } from '@mikro-orm/migrations';
import { MikroORM, type MigrationObject, type Options } from '@mikro-orm/postgresql';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, ormOn } from './kit/database.ts';

function adding(table: string): MigrationObject['class'] {
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion -- a class with its own text
  return new Function(
    'Migration',
    `return class extends Migration {
       up() { this.addSql('create table ${table} (id int)'); }
       down() { this.addSql('drop table ${table}'); }
     }`,
  )(Migration) as MigrationObject['class'];
}

async function migratorOf(migrations: readonly MigrationObject[], url?: string) {
  const orm = ormOn(url === undefined ? await emptyDatabase() : { url }, {});
  orm.config.get('migrations').migrationsList = [...migrations];
  return { orm, migrator: new Migrator(orm) };
}

const names = (runs: readonly { readonly name: string }[]): string[] => runs.map(({ name }) => name);

describe('a list of migrations', () => {
  const list = ['InitSchema', 'AddPosts', 'BackfillPosts', 'AddAuthors'].map((name) => ({
    name,
    class: adding(name.toLowerCase()),
  }));

  test('is applied and reverted in its order, as by the ORM', async () => {
    const { migrator } = await migratorOf(list);

    expect(names(await migrator.up({ to: 'AddPosts' }))).toEqual(['InitSchema', 'AddPosts']);
    expect(names(await migrator.planUp())).toEqual(['BackfillPosts', 'AddAuthors']);
    expect(names(await migrator.up())).toEqual(['BackfillPosts', 'AddAuthors']);
    expect((await migrator.status()).map(({ name, condition }) => [name, condition])).toEqual(
      list.map(({ name }) => [name, 'applied']),
    );
    expect(names(await migrator.down({ to: 'InitSchema' }))).toEqual([
      'AddAuthors',
      'BackfillPosts',
      'AddPosts',
    ]);
  });

  test('has a late migration where one before an applied one is missing', async () => {
    const url = (await emptyDatabase()).url;
    await (
      await migratorOf(
        list.filter(({ name }) => name === 'InitSchema' || name === 'BackfillPosts'),
        url,
      )
    ).migrator.up();

    const { migrator } = await migratorOf(list, url);

    expect((await migrator.status()).map(({ condition }) => condition)).toEqual([
      'applied',
      'late',
      'applied',
      'pending',
    ]);
    await expect(migrator.up()).rejects.toThrow('AddPosts is older than applied migrations');
  });

  test('counts in its order from a plan without a database, and for a baseline', async () => {
    const url = (await emptyDatabase()).url;
    const { orm, migrator } = await migratorOf(list, url);
    expect(names(await migrator.planUp({ from: 'AddPosts' }))).toEqual(['BackfillPosts', 'AddAuthors']);
    await orm.em.execute('create table initschema (id int); create table addposts (id int)');

    expect(await migrator.baseline('AddPosts')).toEqual(['InitSchema', 'AddPosts']);
    expect(names(await migrator.up())).toEqual(['BackfillPosts', 'AddAuthors']);
  });
});

const text = (table: string): string =>
  `import { Migration } from '@mikro-orm/migrations';
   export class M extends Migration { up() { this.addSql('create table ${table} (id int)'); } }`;

describe('files', () => {
  test.each<[string | undefined, string[]]>([
    ['**/*.js', ['B', 'A', 'C']],
    ['*/*.js', ['B', 'A']],
    ['2025/*.js', ['B']],
    [undefined, ['C']],
  ])('in sub-folders are found by the glob %s as by the ORM', async (glob, found) => {
    const project = await mkdtemp(join(tmpdir(), 'migrations-'));
    onTestFinished(() => rm(project, { recursive: true }));
    await symlink(join(import.meta.dirname, '../../../node_modules'), join(project, 'node_modules'));
    await writeFile(join(project, 'package.json'), '{ "type": "module" }');
    const path = join(project, 'migrations');
    await mkdir(path);
    for (const year of ['2025', '2026']) await mkdir(join(path, year));
    await writeFile(join(path, '2025/B.js'), text('b'));
    await writeFile(join(path, '2026/A.js'), text('a'));
    await writeFile(join(path, 'C.js'), text('c'));
    const options: Options = {
      clientUrl: (await emptyDatabase()).url,
      entities: [],
      discovery: { warnWhenNoEntities: false },
      extensions: [OrmMigrator],
      migrations: { path, ...(glob !== undefined && { glob }), silent: true },
    };
    const orm = new MikroORM(options);
    onTestFinished(() => orm.close(true));

    const applied = (await new Migrator(orm).up()).map(({ name }) => name);

    expect(applied).toEqual(found);
    expect((await orm.migrator.getPending()).map(({ name }) => name)).toEqual([]);
  });
});
