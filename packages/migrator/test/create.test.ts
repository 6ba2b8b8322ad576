import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createMigration, Migrator, MigrationRefusedError } from 'mikro-orm-safe-migrations';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { library, libraryRows } from './entity-changes.ts';
import { TestDatabase } from './kit/database.ts';
import { projectIn, repository } from './project-in.ts';

describe('createMigration', () => {
  let db: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'created-'));
    await symlink(join(repository, 'node_modules'), join(directory, 'node_modules'));
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

    expect(await createMigration(orm, 'a', { verify: false })).toMatchObject({
      name: 'Migration30000101000000_a',
    });
  });

  test.each([
    ['ts', 'sources', /^import .*\n {2}override up\(\): void/s],
    ['js', 'migrations', /^import /],
    ['cjs', 'migrations', /^'use strict'.*\nexports\.Migration\d+_library = /s],
  ] as const)('writes a %s migration that runs into %s', async (emit, where, form) => {
    const migrations = { emit, path: 'migrations', pathTs: 'sources' };
    await using orm = projectIn(directory, db, library, migrations, emit === 'ts');

    const created = await createMigration(orm, 'library', { verify: false });

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
    await createMigration(orm, 'library', { verify: false });
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
    const created = await createMigration(orm, 'library', { verify: false });
    await mkdir(join(directory, 'migrations'));
    await using built = projectIn(directory, db, library, { path: 'migrations', pathTs: 'sources' }, false);

    await expect(createMigration(built, 'more')).rejects.toThrow(`${created?.name}.ts is not among`);
  });
});
