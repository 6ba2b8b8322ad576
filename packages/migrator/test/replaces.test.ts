import { writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { replacesIn } from '../src/files/replaces.ts';
import { emptyDatabase } from './kit/database.ts';
import { projectOf } from './squash-project.ts';

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
    `// replaces the old states\nconst states = ['new', 'old'];`,
    `/** What replaces the table of orders. */\nconst tables = ['orders', 'items'];\nexport class S {}`,
    `/* It replaces 'a', "b". */ export const tables: string[] = ['a'];`,
    `// replaces: the old states\nconst states = ['new', 'old'];`,
    `// In place of what it replaces: see https://example.com\nlet names = ['a'];`,
    "this.addSql(`-- replaces a\\nupdate t set names = '{}'`); const names = ['a'];",
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
