import { Migrator } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';

test('the migrations lint clean, or declare why not', async () => {
  const db = await TestDatabase.create();
  onTestFinished(() => db.drop());

  const { findings, notLinted, leftOut, migrations } = await new Migrator(db.orm).lint({ migrations: 'all' });

  expect(
    findings.map(({ migration, direction, rule, object }) => `${migration} ${direction}: ${rule}: ${object}`),
  ).toEqual([]);
  expect({ notLinted, leftOut }).toEqual({ notLinted: [], leftOut: [] });
  expect(migrations).toEqual((await new Migrator(db.orm).status()).map(({ name }) => name));
});
