import { writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Migrator, migrationGap } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn } from '../kit/database.ts';
import { projectOf } from '../squash-project.ts';

const head = `import { Migration } from '@mikro-orm/migrations';\n`;
const body = `override up(): void {} override down(): void {}`;

/** Writes a migration to a file, and returns its condition and what the gap counts as pending. */
async function conditionOf(text: string, extension = 'ts'): Promise<readonly [string, number]> {
  const db = await emptyDatabase();
  const { path, open } = await projectOf(db, {});
  await writeFile(join(path, `Migration1_a.${extension}`), text);
  const orm = open();
  const [status] = await new Migrator(orm).status();
  return [status?.condition ?? '', (await migrationGap(orm)).pending.length];
}

const declared = `${head}export class A extends Migration { static readonly optional = 'wanted by some'; ${body} }`;

describe('a file is optional', () => {
  test.each([
    ['declares it', declared, 'ts'],
    ['is compiled', stripTypeScriptTypes(declared), 'js'],
    ['joins its reason', declared.replace(`'wanted by some'`, `'wanted ' + 'by some'`), 'ts'],
    [
      'is minified',
      `import{Migration as m}from'@mikro-orm/migrations';export class a extends m{static optional="x";up(){}}`,
      'js',
    ],
    ['is assigned to', `${head}export class A extends Migration { up() {} }\nA.optional = 'x';`, 'js'],
    [
      'defines it',
      `${head}export class A extends Migration { up() {} }\nObject.defineProperty(A, "optional", { value: 'x' });`,
      'js',
    ],
  ])('where its class %s', async (_, text, extension) => {
    expect(await conditionOf(text, extension)).toEqual(['optional', 0]);
  });
});

describe('a file is not optional', () => {
  test.each([
    [
      'in its SQL',
      body.replace('{}', "{ this.addSql(`update t set optional = 'x' where t.optional = 'y'`); }"),
    ],
    ['in a comment', `/** static optional = 'x' */ ${body}`],
    ['of its instances', `readonly optional = 'x'; ${body}`],
  ])('where the word is %s', async (_, members) => {
    expect(await conditionOf(`${head}export class A extends Migration { ${members} }`)).toEqual([
      'pending',
      1,
    ]);
  });

  test('where it can not be imported, which up reports', async () => {
    const db = await emptyDatabase();
    const { path, open } = await projectOf(db, {});
    await writeFile(join(path, 'Migration1_a.ts'), `// optional\nthrow new Error('not here');`);

    expect(await new Migrator(open()).status()).toMatchObject([{ condition: 'pending' }]);
    await expect(new Migrator(open()).up()).rejects.toThrow("Migration1_a can't be loaded");
  });
});

describe('an optional migration is refused', () => {
  test.each(['true', `''`, `['x']`])('with %s for a reason', async (reason) => {
    const db = await emptyDatabase();
    const { path, open } = await projectOf(db, {});
    await writeFile(join(path, 'Migration1_a.ts'), declared.replace(`'wanted by some'`, reason));

    for (const work of [() => new Migrator(open()).up(), () => new Migrator(open()).status()])
      await expect(work()).rejects.toThrow(
        "Migration1_a: its `optional` has no reason; write static optional = 'why'",
      );
  });

  test('where it inherits that', async () => {
    const db = await emptyDatabase();
    const { path, open } = await projectOf(db, {});
    const base = join(path, '../base.ts');
    await writeFile(base, `${head}export class Base extends Migration { static optional = 'x'; ${body} }`);
    await writeFile(
      join(path, 'Migration1_a.ts'),
      `import { Base } from '../base.ts';\nexport class A extends Base {}`,
    );

    await expect(new Migrator(open()).up()).rejects.toThrow(
      "write static readonly optional = 'why' in its own class",
    );
  });
});

test('a listed class is optional, also where a compiler has assigned that', async () => {
  const db = await emptyDatabase();
  const migrator = (prepare: (Class: object) => void): Migrator => {
    const orm = ormOn(db, { A: { up: [] } });
    const [listed] = orm.config.get('migrations').migrationsList ?? [];
    if (listed && 'class' in listed) prepare(listed.class);
    return new Migrator(orm);
  };

  expect(await migratorOn(db, { A: { up: [], optional: 'x' } }).status()).toMatchObject([
    { condition: 'optional', optional: 'x' },
  ]);
  const assigned = migrator((Class) => Reflect.set(Class, 'optional', 'y'));
  expect(await assigned.status()).toMatchObject([{ condition: 'optional', optional: 'y' }]);
  expect(await assigned.up({ to: 'A' })).toHaveLength(1);
});
