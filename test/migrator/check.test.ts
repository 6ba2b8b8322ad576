import { Migrator } from 'mikro-orm-safe-migrations';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';

const agreement = {
  agrees: true,
  migrations: [],
  unlisted: [],
  database: [],
  leftOut: [],
  entityDifferences: [],
  replaced: [],
  entities: [],
};

describe('check finds nothing', () => {
  test('in a database that was migrated', async () => {
    const db = await TestDatabase.create();
    onTestFinished(() => db.drop());

    expect(await new Migrator(db.orm).check()).toEqual(agreement);
  });

  test('where the ORM itself migrated, with rows and statistics', async () => {
    const db = await TestServer.shared().createEmptyDatabase();
    onTestFinished(() => db.drop());
    await db.orm.migrator.up();
    await db.orm.em.execute(`insert into synth_groups (id, name) values ('a', 'b'); analyze`);

    expect(await new Migrator(db.orm).check()).toEqual(agreement);
  });

  test('after going down and up again, and redo', async () => {
    const db = await TestDatabase.create();
    onTestFinished(() => db.drop());
    const migrator = new Migrator(db.orm);

    await migrator.down({ to: 'Migration20261121030200_exploration_tree_rules' });
    await migrator.up();
    await migrator.redo();

    expect(await migrator.check()).toEqual(agreement);
  });
});
