import { readdir, readFile, writeFile } from 'node:fs/promises';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { TestServer } from '../../src/testing/index.ts';
import { allMigrations } from '../schema/migration-chain.ts';
import { Commands, type Loader } from './commands.ts';
import { checkout, type Project } from './projects.ts';

const root = join(import.meta.dirname, '../..');

/** Gives an entity a column that no migration has. */
async function changeEntity({ directory }: Project): Promise<void> {
  const file = join(directory, 'src/entities/synth-group.ts');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace(/^( +)description: p\..*$/m, '$&\n$1motto: p.text().nullable(),'));
}

/** What the folder of migrations has besides the chain. */
async function added({ directory }: Project): Promise<string[]> {
  const names = await readdir(join(directory, 'src/migrations'));
  return names.map((file) => file.replace(/\.ts$/, '')).filter((name) => !allMigrations.includes(name));
}

test.each<['ours' | 'orm', string[], Loader]>([
  ['ours', ['create', 'add_motto'], 'node'],
  ['orm', ['migration:create', '--name', 'add_motto'], 'node'],
  ['orm', ['migration:create', '--name', 'add_motto'], 'jiti'],
])(
  'a migration created by %s with %j, loaded by %s, is listed, and both tools apply and revert it',
  async (tool, args, loader) => {
    await using project = await checkout();
    await using db = await TestServer.shared().createDatabase();
    using creating = new Commands(project, db.url, loader);
    await changeEntity(project);

    const created = await creating[tool](...args);

    expect(created).toMatchObject({ code: 0 });
    const [name = '', ...others] = await added(project);
    expect(name).toMatch(/^Migration\d{14}_add_motto$/);
    expect(others).toEqual([]);
    expect(await readFile(join(project.directory, 'src/migrations.ts'), 'utf8')).toMatch(
      new RegExp(`  ${allMigrations.at(-1)},\n  ${name},\n\\];\n$`),
    );
    using commands = new Commands(project, db.url, loader);
    expect(await commands.orm('migration:up')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`Applied '${name}'`),
    });
    expect(await commands.ours('check')).toMatchObject({ code: 0 });
    expect(await commands.ours('redo', '--confirm', db.target.parts.database)).toMatchObject({ code: 0 });
    expect(await commands.orm('migration:down')).toMatchObject({ code: 0 });
    expect(await commands.ours('status')).toMatchObject({
      stdout: expect.stringMatching(new RegExp(`${name} +pending`)),
    });
  },
);

test('the generated list of migrations is formatted', async () => {
  await using project = await checkout();
  await using db = await TestServer.shared().createDatabase();
  await changeEntity(project);
  using commands = new Commands(project, db.url, 'node');
  await commands.ours('create', 'add_motto');
  expect(await readFile(join(project.directory, 'src/migrations.ts'), 'utf8')).toContain('_add_motto,');

  const formatted = promisify(execFile)(
    join(root, 'node_modules/.bin/oxfmt'),
    ['--check', '--config', join(root, '.oxfmtrc.json'), 'src/migrations.ts'],
    { cwd: project.directory },
  );

  await expect(formatted).resolves.toBeDefined();
});

test('check names a migration that is not listed, and create refuses', async () => {
  await using project = await checkout();
  await using db = await TestServer.shared().createDatabase();
  using commands = new Commands(project, db.url, 'node');
  await changeEntity(project);
  await writeFile(
    join(project.directory, 'src/migrations/Migration29990101000000_by_hand.ts'),
    `import { Migration } from '@mikro-orm/migrations';
    export class Migration29990101000000_by_hand extends Migration { override up(): void {} }`,
  );
  await writeFile(join(project.directory, 'src/migrations/reasons.ts'), 'export const reasons = 1;');

  expect(await commands.ours('check')).toMatchObject({
    code: 3,
    stdout: expect.stringMatching(
      /Migration29990101000000_by_hand\.ts is not listed +add it to src\/migrations\.ts/,
    ),
  });
  expect(JSON.parse((await commands.ours('check', '--json')).stdout)).toMatchObject({
    agrees: false,
    unlisted: ['Migration29990101000000_by_hand.ts'],
  });
  expect(await commands.ours('create', 'add_motto')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('Migration29990101000000_by_hand.ts is not listed: add it'),
  });
  expect(await added(project)).toEqual(['Migration29990101000000_by_hand', 'reasons']);
});
