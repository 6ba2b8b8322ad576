import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Migration } from '@mikro-orm/migrations';
import { MikroORM, type Constructor } from '@mikro-orm/postgresql';
import { expect, onTestFinished, test } from 'vitest';
import { ormOptions } from '../../src/database/orm-options.ts';
import { backfill, Migrator } from '../../src/migrator/index.ts';
import { aSynth, TestDatabase } from '../../src/testing/index.ts';

const directory = join(import.meta.dirname, '../../src/migrations');

// As one of ours would be, after all that there are.
class Migration29990101000000_describe_synths extends Migration {
  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    const set = `descricao = 'version ' || version`;
    this.addSql(backfill('synths', { by: 'id', set, where: 'descricao is null', batch: 20 }));
  }
}

test('a migration of ours changes its rows in batches', async () => {
  await using db = await TestDatabase.create();
  await db.transact(async ({ em }) => {
    for (let i = 0; i < 100; i++) aSynth(em, { description: i % 2 === 0 ? null : 'kept' });
  });
  const options = ormOptions(db.target);
  const files = await readdir(directory);
  const ours = await Promise.all(
    files.map(async (file) => ({ name: file.slice(0, -'.ts'.length), class: await classIn(file) })),
  );
  const added = {
    name: 'Migration29990101000000_describe_synths',
    class: Migration29990101000000_describe_synths,
  };
  const orm = new MikroORM({
    ...options,
    migrations: { ...options.migrations, migrationsList: [...ours, added] },
  });
  onTestFinished(() => orm.close(true));
  const batches: number[] = [];

  const migrator = new Migrator(orm, {
    onEvent: (event) => event.kind === 'batch' && batches.push(event.rows),
  });
  expect(await migrator.up()).toMatchObject([{ name: added.name }]);

  expect(batches.slice(0, 5)).toEqual([20, 40, 60, 80, 100]);
  const found = await db.orm.em.execute(
    'select descricao, count(*)::int as n from synths group by 1 order by 1',
  );
  expect(found).toEqual([
    { descricao: 'kept', n: 50 },
    { descricao: 'version 2.0.0', n: 50 },
  ]);
});

async function classIn(file: string): Promise<Constructor<Migration>> {
  const exported: Record<string, Constructor<Migration>> = await import(join(directory, file));
  const [found] = Object.values(exported);
  if (!found) throw new Error(`${file} exports nothing`);
  return found;
}
