import { Migration } from '@mikro-orm/migrations';
import { MikroORM } from '@mikro-orm/postgresql';
import { expect, onTestFinished, test } from 'vitest';
import { ormOptions } from '../../src/postgres/orm/orm-options.ts';
import { migrations } from '../../src/migrations.ts';
import { backfill, Migrator } from 'mikro-orm-safe-migrations';
import { aSynth, TestDatabase } from '../../src/testing/index.ts';

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
  const orm = new MikroORM({
    ...options,
    migrations: {
      ...options.migrations,
      migrationsList: [...migrations, Migration29990101000000_describe_synths],
    },
  });
  onTestFinished(() => orm.close(true));
  const batches: number[] = [];

  const migrator = new Migrator(orm, {
    onEvent: (event) => event.kind === 'batch' && batches.push(event.rows),
  });
  expect(await migrator.up()).toMatchObject([{ name: 'Migration29990101000000_describe_synths' }]);

  expect(batches.slice(0, 5)).toEqual([20, 40, 60, 80, 100]);
  const found = await db.orm.em.execute(
    'select descricao, count(*)::int as n from synths group by 1 order by 1',
  );
  expect(found).toEqual([
    { descricao: 'kept', n: 50 },
    { descricao: 'version 2.0.0', n: 50 },
  ]);
});
