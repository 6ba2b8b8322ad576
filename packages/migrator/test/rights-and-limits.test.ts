import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';
import { all, contents, fourth, migrated, refusal, without } from './chain.ts';

let db: TestDatabase;
beforeAll(async () => void (db = await migrated()));
afterAll(() => db.drop());

const lacking = /the role lacks a privilege: connect as the owner .* \(permission denied for \w+ \w+\)/;

test('names the owner as the remedy for a role without privileges', async () => {
  const role = await asRole(db);

  for (const direction of ['up', 'down', 'redo', 'status'] as const)
    expect(await refusal(db, () => migratorOn(role, all)[direction]())).toMatch(lacking);
});

test('shows the state to a role that may only read, and refuses changes', async () => {
  const reading = ['usage on schema migrator', 'select on all tables in schema migrator, public'];
  const role = await asRole(db, ...reading);

  expect(await migratorOn(role, all).status()).toHaveLength(4);
  expect(await refusal(db, () => migratorOn(role, all).up())).toMatch(lacking);
});

test("refuses a role that may not create the migrator's tables, and creates nothing", async () => {
  const fresh = await emptyDatabase();
  const before = await readCatalog(fresh.orm);

  await expect(migratorOn(await asRole(fresh), all).up()).rejects.toThrow(lacking);

  expect(await readCatalog(fresh.orm)).toEqual(before);
});

test('shows the state on a read-only connection, and refuses changes with the remedy', async () => {
  // Of connections to come, not of those that the test looks through.
  await db.orm.em.execute(
    `alter database "${db.target.parts.database}" set default_transaction_read_only = on`,
  );

  expect(await migratorOn(db, all).status()).toHaveLength(4);
  for (const direction of ['up', 'down'] as const)
    expect(await refusal(db, () => migratorOn(db, all)[direction]())).toMatch(
      /^the connection is read-only: connect to the primary, as a role that may write/,
    );
});

test('rolls back after a statement timeout, and names the remedy', async () => {
  const own = await migrated();
  onTestFinished(() => own.drop());
  const slow = { up: ['create table fifth (id int)', 'select pg_sleep(10)'] };
  const before = await contents(own);

  await expect(
    migratorOn(own, { ...without(fourth), Migration5_slow: slow }, { statementTimeout: 100 }).up(),
  ).rejects.toMatchObject({
    code: 'failed',
    message:
      'Migration5_slow failed in up() at statement 2: canceling statement due to statement timeout (57014). ' +
      'It was rolled back. If it timed out, set a longer `statementTimeout` in the migration, or split it; then retry.',
  });

  const after = await contents(own);
  expect(after).toEqual({ ...before, history: after.history });
  expect(after.history.slice(0, -1)).toEqual(before.history);
  expect(after.history.at(-1)).toMatchObject({ name: 'Migration5_slow', outcome: 'failed' });
  await migratorOn(
    own,
    { ...without(fourth), Migration5_slow: { up: ['select pg_sleep(0.3)'], statementTimeout: 5_000 } },
    { statementTimeout: 100 },
  ).up();
});

/** The database by another role, that may do so much. */
async function asRole(
  { orm: { em }, target, url: own }: TestDatabase,
  ...rights: string[]
): Promise<{ url: string }> {
  const role = `role_${target.parts.database}`;
  await em.execute(`create role "${role}" login password 'secret'`);
  for (const right of rights) await em.execute(`grant ${right} to "${role}"`);
  onTestFinished(async () => {
    await em.execute(`drop owned by "${role}"; drop role "${role}"`);
  });
  const url = new URL(own);
  url.username = role;
  url.password = 'secret';
  return { url: url.href };
}
