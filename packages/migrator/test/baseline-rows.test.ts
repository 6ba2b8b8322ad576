import { Migration } from '@mikro-orm/migrations';
import { backfill, Migrator } from 'mikro-orm-safe-migrations';
import { describe, expect, test } from 'vitest';
import { emptyDatabase, migratorOn, ormOn } from './kit/database.ts';

describe('a baseline names the migrations whose effect on rows it has not compared', () => {
  test.each<[string, readonly string[], string | null]>([
    ['an insert', [`insert into a values (1)`], 'changes rows'],
    ['a backfill', [backfill('a', { by: 'id', set: 'b = 1' })], 'changes rows'],
    ['code', ['do $$ begin perform 1; end $$'], 'runs code'],
    ['both', ['do $$ begin perform 1; end $$', 'delete from a'], 'changes rows'],
    ['only a schema', ['create index on a (b)'], null],
  ])('%s', async (_, up, reason) => {
    const db = await emptyDatabase();
    const migrations = {
      Migration1: { up: ['create table a (id int primary key, b int)'] },
      Migration2: { up, transactional: false },
    };
    await migratorOn(db, migrations).up();
    await db.orm.em.execute('drop schema migrator cascade; drop table mikro_orm_migrations');
    const events: object[] = [];

    await migratorOn(db, migrations, { onEvent: (event) => events.push(event) }).baseline('Migration2');

    expect(events).toEqual(reason === null ? [] : [{ kind: 'unverified', name: 'Migration2', reason }]);
  });

  test('a migration that queries the database', async () => {
    const db = await emptyDatabase();
    const orm = ormOn(db, {});
    orm.config.get('migrations').migrationsList = [
      {
        name: 'Migration1',
        class: class extends Migration {
          override async up(): Promise<void> {
            await this.execute('select 1');
          }
        },
      },
    ];
    const events: object[] = [];

    await new Migrator(orm, { onEvent: (event) => events.push(event) }).baseline('Migration1');

    expect(events).toEqual([{ kind: 'unverified', name: 'Migration1', reason: 'queries the database' }]);
  });
});
