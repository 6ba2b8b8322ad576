import { rename, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Migrator, squashMigrations } from 'mikro-orm-safe-migrations';
import { emptyDatabase } from '../kit/database.ts';
import { nameOf, openOrm, projectOf } from '../squash-project.ts';

const [table, index, column] = [nameOf(0, 'table'), nameOf(1, 'index'), nameOf(2, 'column')];

async function project() {
  const db = await emptyDatabase();
  const { path, open } = await projectOf(db, {
    table: { up: ['create table a (id int)'], down: ['drop table a'] },
    index: { up: ['create index a_id on a (id)'], down: ['drop index a_id'] },
    column: { up: ['alter table a add n int'], down: ['alter table a drop n'] },
  });
  const file = join(path, `${index}.ts`);
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('extends Migration {', `$& static readonly optional = 'faster';`));
  return { db, path, file, open };
}

test('a squash refuses an optional migration', async () => {
  const { open } = await project();

  await expect(squashMigrations(open(), { to: column })).rejects.toThrow(
    `${index} is optional, and a squash would apply it everywhere`,
  );
});

test('an optional migration that was moved behind the others keeps its place in databases that have it', async () => {
  const { path, file, open } = await project();
  await new Migrator(open()).up({ optional: [index] });
  const moved = nameOf(3, 'index');
  const text = (await readFile(file, 'utf8')).replaceAll(index, moved);
  await rename(file, join(path, `${moved}.ts`));
  await writeFile(
    join(path, `${moved}.ts`),
    text.replace('extends Migration {', `$& static readonly replaces = ['${index}'];`),
  );

  const { replaces } = await squashMigrations(open(), { to: column });

  expect(replaces).toEqual([table, column]);
  const migrator = new Migrator(open());
  expect(await migrator.up()).toEqual([]);
  expect((await migrator.status()).map(({ condition }) => condition)).toEqual(['applied', 'applied']);
  expect(await migrator.check()).toMatchObject({ migrations: [], database: [] });
  const other = new Migrator(openOrm(await emptyDatabase(), { path }));
  expect(await other.up()).toHaveLength(1);
  expect(await other.up({ optional: [moved] })).toMatchObject([{ name: moved }]);
});
