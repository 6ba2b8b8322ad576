import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import { hasTerminals, InstalledProject } from '../kit/installed-project.ts';

// The name of the column, after it was created as `name`.
const renamed = { NAME: 'title' };

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  const configuration = `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
    const name = process.env['NAME'] ?? 'name';
    const Product = defineEntity({ name: 'Product', properties: { id: p.integer().primary(), [name]: p.string() } });
    export default defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Product] });`;
  project = await InstalledProject.create({ 'mikro-orm.config.ts': configuration }, { DATABASE_URL: db.url });
  for (const command of [['create', 'products'], ['up']]) await project.run(...command);
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

/** Runs `create` on a terminal whose user types `answer`. */
function onTerminal(answer: string) {
  return project.runOnTerminal({ prompt: 'values: ', answer, more: renamed }, 'create', 'titles');
}

/** Returns the text of the migration that was created last, and removes it. */
async function takeCreated(): Promise<string> {
  const directory = join(project.directory, 'migrations');
  const [last = '', ...others] = (await readdir(directory)).toSorted().toReversed();
  expect(others).toHaveLength(1);
  const text = await readFile(join(directory, last), 'utf8');
  await rm(join(directory, last));
  return text;
}

describe('create, for a column with another name', () => {
  test('is refused without a terminal, with what to add', async () => {
    const { code, stdout, stderr } = await project.runWith(renamed, 'create', 'titles');

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toContain('  --rename product.name:title or --drop product.name\n');
  });

  test.each([
    [['--rename', 'product.name:title'], 'rename column "name" to "title"'],
    [['--drop', 'product.name'], 'drop column "name"'],
  ])('does what %j says', async (args, sql) => {
    const { code } = await project.runWith(renamed, 'create', 'titles', ...args);

    expect(code).toBe(0);
    expect(await takeCreated()).toContain(sql);
  });

  test('prints what stays, also with --json, and also when nothing is written', async () => {
    await project.write(
      'migrations/Migration29990101000000_by_hand.ts',
      `import { Migration } from '@mikro-orm/migrations';
       export class Migration29990101000000_by_hand extends Migration {
         override up() { this.addSql('create view names as select id from product'); }
       }`,
    );
    onTestFinished(() => rm(join(project.directory, 'migrations/Migration29990101000000_by_hand.ts')));

    const [text, json] = [await project.run('create', 'more'), await project.run('create', 'more', '--json')];
    expect(text.stdout).toContain('No entity describes view names: it stays.');
    expect(JSON.parse(json.stdout)).toEqual({
      name: null,
      path: null,
      preceding: [],
      following: [],
      warnings: [],
      certificates: [],
      findings: [],
      leftOut: [],
      kept: ['view names'],
    });
  });

  test.each([
    ['--rename', 'name'],
    ['--rename', 'a:b:c'],
    ['--rename', ':b'],
    ['--rename', 'a:'],
    ['--rename'],
  ])('exits with 2 for %j %j', async (...args) => {
    expect(await project.run('create', 'titles', ...args)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--rename'),
    });
  });

  test.skipIf(!hasTerminals).each([
    ['title\n', 'rename column "name" to "title"'],
    ['drop\n', 'drop column "name"'],
  ])('asks on a terminal, and does what %j says', async (answer, sql) => {
    const { code, sent } = await onTerminal(answer);

    expect(sent).toContain(
      'No entity describes product.name any more. Type "title" if that is its new name, or "drop"',
    );
    expect(code).toBe(0);
    expect(await takeCreated()).toContain(sql);
  });

  test.skipIf(!hasTerminals).each([
    ['\n', 2],
    ['yes\n', 2],
    ['\u0003', 130],
  ])('writes nothing after %j', async (answer, expected) => {
    const { code } = await onTerminal(answer);

    expect(code).toBe(expected);
    expect(await project.migrationsIn('migrations')).toHaveLength(1);
  });
});
