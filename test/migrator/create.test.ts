import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { MikroORM, type Options } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createMigration, Migrator, type CreatedMigration } from '../../src/migrator/index.ts';
import { TestServer, type TestDatabase } from '../../src/testing/index.ts';
import { readCatalog, readRows } from '../schema/catalog.ts';
import { entityChanges, library, libraryRows } from './entity-changes.ts';

const run = promisify(execFile);
const ours = join(import.meta.dirname, '../..');

/** A project of somebody else's below `directory`, on the database of `db`. */
function projectIn(
  directory: string,
  db: TestDatabase,
  entities: NonNullable<Options['entities']>,
  migrations: Options['migrations'] = {},
): MikroORM {
  const orm = new MikroORM({
    clientUrl: db.url,
    baseDir: directory,
    entities,
    discovery: { warnWhenNoEntities: false },
    migrations: { path: 'migrations', snapshot: false, ...migrations },
  });
  return orm;
}

async function contents({ em }: MikroORM) {
  return { catalog: await readCatalog(em), rows: await readRows(em) };
}

describe('a created migration', () => {
  let root: string;
  let db: TestDatabase;
  let initial: string | undefined;
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
    db = await TestServer.shared().createEmptyDatabase();
    await using orm = projectIn(join(root, 'library'), db, library);
    initial = (await createMigration(orm, 'library'))?.name;
  });
  afterAll(async () => {
    await db.drop();
    await rm(root, { recursive: true, force: true });
  });

  test.for(entityChanges)('$name', async ({ name, entities, warnings, fails, lossy = false }) => {
    const directory = join(root, name);
    await cp(join(root, 'library'), directory, { recursive: true });

    await using source = projectIn(directory, db, entities);
    const created = await createMigration(source, name);

    expect(told(created)).toEqual(warnings.map((part) => expect.stringContaining(part)));
    await using target = await TestServer.shared().createEmptyDatabase();
    await using project = projectIn(directory, target, entities);
    const migrator = new Migrator(project);
    await migrator.up({ to: initial });
    await project.em.execute(libraryRows);
    const before = await contents(project);
    const [direction, state] = fails ?? [];
    const failure = { code: 'failed', message: expect.stringContaining(state ?? '') };
    if (direction === 'up') {
      await expect(migrator.up()).rejects.toMatchObject(failure);
      expect(await contents(project)).toEqual(before);
      return;
    }
    await migrator.up();
    const after = await contents(project);
    expect(after.catalog).not.toEqual(before.catalog);
    if (direction === 'down') {
      await expect(migrator.down()).rejects.toMatchObject(failure);
      expect(await contents(project)).toEqual(after);
      return;
    }
    await migrator.down();
    const back = await contents(project);
    expect(lossy ? back.catalog : back).toEqual(lossy ? before.catalog : before);
    await migrator.up();
    expect(await contents(project)).toEqual(after);
  });

  test('type-checks, lints and is formatted, unedited', { timeout: 120_000 }, async () => {
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

function told(created: CreatedMigration | null): string[] | undefined {
  return created?.warnings.map(({ direction, message }) => `${direction}: ${message}`);
}
