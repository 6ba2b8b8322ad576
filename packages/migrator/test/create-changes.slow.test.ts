import { execFile } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual, promisify } from 'node:util';
import type { MikroORM } from '@mikro-orm/postgresql';
import { createMigration, Migrator, type CreatedMigration } from 'mikro-orm-safe-migrations';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { outcomeOf } from './created-project.ts';
import { entityChanges, library, libraryRows } from './entity-changes.ts';
import { TestDatabase } from './kit/database.ts';
import { readRows } from './kit/read-rows.ts';
import { projectIn, repository } from './project-in.ts';

const run = promisify(execFile);

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
    await symlink(join(repository, 'node_modules'), join(root, 'node_modules'));
    await writeFile(join(root, 'package.json'), '{ "type": "module" }');
    await writeFile(
      join(root, 'tsconfig.json'),
      JSON.stringify({
        extends: join(repository, 'tsconfig.json'),
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
    const down = up === 'done' ? await outcomeOf(migrator.down({ to: initial })) : 'not tried';
    // Its parts before the one that failed stay applied.
    if (up !== 'done') await migrator.down({ to: initial });
    const back = await contents(project);
    const again = down === 'done' ? await outcomeOf(migrator.up()) : 'not tried';
    const last = await contents(project);

    const [stops, state = ''] = fails ?? [];
    expect({ up, down, again }).toEqual({
      up: stops === 'up' ? state : 'done',
      down: stops === 'up' ? 'not tried' : stops === 'down' ? state : 'done',
      again: stops === undefined ? 'done' : 'not tried',
    });
    expect(stops !== 'up' && isDeepStrictEqual(after, before)).toBe(false);
    const kept = stops === 'down' ? after : before;
    expect(lossy ? back.catalog : back).toEqual(lossy ? kept.catalog : kept);
    expect(last).toEqual(stops === 'up' ? before : after);
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
    expect(files.length).toBeGreaterThan(2 * entityChanges.length);
    const tool = (name: string, ...args: string[]) =>
      run(join(repository, 'node_modules/.bin', name), args, { cwd: root }).then(
        () => '',
        (failed: { stdout: string }) => failed.stdout,
      );

    expect(await tool('tsc', '--project', root)).toBe('');
    expect(
      await tool('oxlint', '--type-aware', '--config', join(repository, '.oxlintrc.json'), ...files),
    ).toBe('');
    expect(await tool('oxfmt', '--check', '--config', join(repository, '.oxfmtrc.json'), ...files)).toBe('');
  });
});

function warningsOf(created: CreatedMigration | null | undefined): string[] | undefined {
  return created?.warnings.map(({ direction, message }) => `${direction}: ${message}`);
}
