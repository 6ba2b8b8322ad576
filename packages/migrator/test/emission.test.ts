import { randomUUID } from 'node:crypto';
import { Migration } from '@mikro-orm/migrations';
import type { MigrationObject } from '@mikro-orm/postgresql';
import { expect, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, ormOn } from './kit/database.ts';

const name = 'Migration20260101000000_only';

/** A project with one migration, on a separate database. */
async function projectWith(Class: MigrationObject['class']) {
  const db = await emptyDatabase();
  const orm = ormOn(db, {});
  orm.config.get('migrations').migrationsList = [{ name, class: Class }];
  return { orm, migrator: new Migrator(orm), has: (table: string) => exists(table) };

  async function exists(table: string): Promise<boolean> {
    const rows = await db.orm.em.execute(`select where to_regclass('${table}') is not null`);
    return rows.length > 0;
  }
}

class MakesTable extends Migration {
  override up(): void | Promise<void> {
    this.addSql('create table made (id text)');
  }

  override down(): void {
    this.addSql('drop table made');
  }
}

test("applies a migration whose `down` throws, and reports why it can't be reverted", async () => {
  const { migrator } = await projectWith(
    class extends MakesTable {
      override down(): void {
        throw new Error('the old names are gone');
      }
    },
  );

  expect(await migrator.up()).toMatchObject([{ name }]);

  expect(await migrator.status()).toMatchObject([{ condition: 'applied' }]);
  await expect(migrator.down()).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('"the old names are gone"'),
  });
});

test('accepts a subclass of Migration that overrides `addSql`', async () => {
  abstract class Own extends Migration {
    override addSql(sql: string): void {
      super.addSql(sql);
    }
  }
  const { migrator } = await projectWith(
    class extends Own {
      override up(): void {
        this.addSql('create table made (id text)');
      }
    },
  );

  expect(await migrator.up()).toMatchObject([{ name }]);

  await expect(migrator.down()).rejects.toMatchObject({ code: 'refused' });
});

test.each([
  ['something random', () => randomUUID()],
  ['the time', () => new Date().toISOString()],
])('does not report a migration that sends %s as edited', async (_, value) => {
  const { migrator } = await projectWith(
    class extends MakesTable {
      override up(): void {
        this.addSql(`create table made (id text default '${value()}')`);
      }
    },
  );

  expect(await migrator.planUp()).toMatchObject([{ known: true }]);
  await migrator.up();

  expect(await migrator.status()).toMatchObject([{ condition: 'applied' }]);
  expect(await migrator.up()).toEqual([]);
  expect(await migrator.down()).toMatchObject([{ name }]);
});

test('sends nothing through the driver before the migration runs', async () => {
  const { migrator, has } = await projectWith(
    class extends MakesTable {
      override async up(): Promise<void> {
        await this.driver.execute('create table made (id text)', [], 'all', this.ctx);
      }
    },
  );

  await migrator.status();
  expect(await migrator.planUp()).toMatchObject([{ known: false }]);
  expect(await has('made')).toBe(false);

  await migrator.up();
  expect(await has('made')).toBe(true);
});

test('sends queries of a migration that catches their errors only when it runs', async () => {
  const { migrator, has } = await projectWith(
    class extends MakesTable {
      override async up(): Promise<void> {
        try {
          await this.execute('create table made (id text)');
        } catch {
          this.addSql('create table instead (id text)');
        }
      }
    },
  );

  await migrator.up();

  expect([await has('made'), await has('instead')]).toEqual([true, false]);
});

test("reports PostgreSQL's message about objects that depend or are missing", async () => {
  const { migrator } = await projectWith(
    class extends Migration {
      override up(): void {
        this.addSql('create schema taken; create table taken.first (id int); drop schema taken');
      }
    },
  );

  await expect(migrator.up()).rejects.toThrow(
    'cannot drop schema taken because other objects depend on it (2BP01)',
  );
});
