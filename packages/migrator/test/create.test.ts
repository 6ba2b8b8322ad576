import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  createMigration,
  Migrator,
  MigrationRefusedError,
  type CreatedMigration,
} from 'mikro-orm-safe-migrations';
import { readCatalog } from '../src/catalog/catalog.ts';
import { TestDatabase } from './kit/database.ts';
import { readRows } from './kit/read-rows.ts';
import { entityChanges, library, libraryRows } from './entity-changes.ts';
import { outcomeOf } from './created-project.ts';

const run = promisify(execFile);
const ours = join(import.meta.dirname, '../../..');

/** Returns the ORM of a project in `directory`, on the database of `db`. */
function projectIn(
  directory: string,
  db: TestDatabase,
  entities: NonNullable<Options['entities']>,
  migrations: Options['migrations'] = {},
  preferTs = true,
): MikroORM {
  return new MikroORM({
    clientUrl: db.url,
    baseDir: directory,
    preferTs,
    entities,
    discovery: { warnWhenNoEntities: false },
    migrations: { path: 'migrations', snapshot: false, ...migrations },
  });
}

async function contents(orm: MikroORM) {
  return { catalog: await readCatalog(orm), rows: await readRows(orm.em) };
}

describe('a created migration', () => {
  let root: string;
  let db: TestDatabase;
  let initial: string | undefined;
  const created = new Map<string, CreatedMigration | null>();
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'created-'));
    await symlink(join(ours, 'node_modules'), join(root, 'node_modules'));
    await writeFile(join(root, 'package.json'), '{ "type": "module" }');
    await writeFile(
      join(root, 'tsconfig.json'),
      JSON.stringify({
        extends: join(ours, 'tsconfig.json'),
        compilerOptions: { incremental: false },
        include: ['.'],
      }),
    );
    db = await TestDatabase.create();
    await using orm = projectIn(join(root, 'library'), db, library);
    initial = (await createMigration(orm, 'library'))?.name;
    await Promise.all(
      entityChanges.map(async ({ name, entities, options }) => {
        await cp(join(root, 'library'), join(root, name), { recursive: true });
        await using source = projectIn(join(root, name), db, entities);
        created.set(name, await createMigration(source, name, options));
      }),
    );
  });
  afterAll(async () => {
    await db.drop();
    await rm(root, { recursive: true, force: true });
  });

  test.for(entityChanges)('$name', async ({ name, entities, warnings, fails, lossy = false }) => {
    const directory = join(root, name);

    expect(warningsOf(created.get(name))).toEqual(warnings.map((part) => expect.stringContaining(part)));
    await using target = await TestDatabase.create();
    await using project = projectIn(directory, target, entities);
    const migrator = new Migrator(project);
    await migrator.up({ to: initial });
    await project.em.execute(libraryRows);
    const before = await contents(project);

    const up = await outcomeOf(migrator.up());
    const after = await contents(project);
    const down = up === 'done' ? await outcomeOf(migrator.down()) : 'not tried';
    const back = await contents(project);
    const again = down === 'done' ? await outcomeOf(migrator.up()) : 'not tried';
    const last = await contents(project);

    const [stops, state = ''] = fails ?? [];
    expect({ up, down, again }).toEqual({
      up: stops === 'up' ? state : 'done',
      down: stops === 'up' ? 'not tried' : stops === 'down' ? state : 'done',
      again: stops === undefined ? 'done' : 'not tried',
    });
    expect(isDeepStrictEqual(after, before)).toBe(stops === 'up');
    const kept = stops === 'down' ? after : before;
    expect(lossy ? back.catalog : back).toEqual(lossy ? kept.catalog : kept);
    expect(last).toEqual(after);
  });

  test('runs on rows when values are added at its warning', async () => {
    const directory = join(root, 'column_not_null_filled');
    await cp(join(root, 'column_not_null'), directory, { recursive: true });
    const file = join(directory, 'migrations', `${created.get('column_not_null')?.name}.ts`);
    const filled = (await readFile(file, 'utf8')).replaceAll(
      /^( +\/\/ WARNING: books\.\w+ must not be null.*\n(?: +\/\/.*\n)?)(.*alter column "(\w+)" set not null)/gm,
      '$1    this.addSql(`update "books" set "$3" = 7`);\n$2',
    );
    await writeFile(file, filled);
    await using target = await TestDatabase.create();
    await using project = projectIn(directory, target, library);
    const migrator = new Migrator(project);
    await migrator.up({ to: initial });
    await project.em.execute(libraryRows);
    const before = await contents(project);

    await migrator.up();

    expect(await project.em.execute('select distinct language, pages from books')).toEqual([
      { language: '7', pages: 7 },
    ]);
    await migrator.down();
    expect(await contents(project)).toEqual(before);
  });

  test('type-checks, lints and is formatted without an edit', { timeout: 120_000 }, async () => {
    const directories = ['library', ...entityChanges.map(({ name }) => name)];
    const files = globSync(`{${directories.join(',')}}/migrations/*.ts`, { cwd: root });
    expect(files).toHaveLength(1 + 2 * entityChanges.length);
    const tool = (name: string, ...args: string[]) =>
      run(join(ours, 'node_modules/.bin', name), args, { cwd: root }).then(
        () => '',
        (failed: { stdout: string }) => failed.stdout,
      );

    expect(await tool('tsc', '--project', root)).toBe('');
    expect(await tool('oxlint', '--type-aware', '--config', join(ours, '.oxlintrc.json'), ...files)).toBe('');
    expect(await tool('oxfmt', '--check', '--config', join(ours, '.oxfmtrc.json'), ...files)).toBe('');
  });
});

describe('createMigration', () => {
  let db: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'created-'));
    await symlink(join(ours, 'node_modules'), join(directory, 'node_modules'));
    await writeFile(join(directory, 'package.json'), '{ "type": "module" }');
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));
  afterAll(() => db.drop());

  test('writes a migration that sorts last, even if the clock is behind', async () => {
    await mkdir(join(directory, 'migrations'));
    await writeFile(
      join(directory, 'migrations/Migration29991231235959_z.ts'),
      `import { Migration } from '@mikro-orm/migrations';
      export class Later extends Migration { override up(): void {} }`,
    );
    await using orm = projectIn(directory, db, library);

    expect(await createMigration(orm, 'a')).toMatchObject({ name: 'Migration30000101000000_a' });
  });

  test.each([
    ['ts', 'sources', /^import .*\n {2}override up\(\): void/s],
    ['js', 'migrations', /^import /],
    ['cjs', 'migrations', /^'use strict'.*\nexports\.Migration\d+_library = /s],
  ] as const)('writes a %s migration that runs into %s', async (emit, where, form) => {
    const migrations = { emit, path: 'migrations', pathTs: 'sources' };
    await using orm = projectIn(directory, db, library, migrations, emit === 'ts');

    const created = await createMigration(orm, 'library');

    expect(created?.path).toBe(join(directory, where, `${created?.name}.${emit}`));
    expect(await readFile(created?.path ?? '', 'utf8')).toMatch(form);
    await using target = await TestDatabase.create();
    await using there = projectIn(directory, target, library, { path: where });
    expect(await new Migrator(there).up()).toHaveLength(1);
    await there.em.execute(libraryRows);
    expect(await new Migrator(there).down()).toHaveLength(1);
  });

  test('writes nothing where entities and migrations agree, and drops the scratch database', async () => {
    const before = await readCatalog(db.orm);
    await using orm = projectIn(directory, db, library);
    await createMigration(orm, 'library');
    await using again = projectIn(directory, db, library);

    expect(await createMigration(again, 'more')).toBeNull();

    expect(await readdir(join(directory, 'migrations'))).toEqual([
      expect.stringMatching(/^Migration\d+_library\.ts$/),
    ]);
    expect(await readCatalog(db.orm)).toEqual(before);
  });

  test.each(['', '../up', 'a b', '1st', 'x-y', 'Ü', `a\`;`, 'x'.repeat(201)])(
    'refuses %j as a name',
    async (name) => {
      await using orm = projectIn(directory, db, library);

      await expect(createMigration(orm, name)).rejects.toThrow(/can't name a migration.*add_tags/s);
      await expect(createMigration(orm, name)).rejects.toThrow(MigrationRefusedError);
    },
  );

  test('refuses a directory with migrations that are not loaded', async () => {
    await using orm = projectIn(directory, db, library, {
      path: 'migrations',
      pathTs: 'sources',
      emit: 'ts',
    });
    const created = await createMigration(orm, 'library');
    await mkdir(join(directory, 'migrations'));
    await using built = projectIn(directory, db, library, { path: 'migrations', pathTs: 'sources' }, false);

    await expect(createMigration(built, 'more')).rejects.toThrow(`${created?.name}.ts is not among`);
  });
});

function warningsOf(created: CreatedMigration | null | undefined): string[] | undefined {
  return created?.warnings.map(({ direction, message }) => `${direction}: ${message}`);
}
