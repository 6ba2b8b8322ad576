import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { ensureTables, tablesOf } from '../src/ledger/tables.ts';
import { fencingComment } from '../src/lease/lease-processes.ts';
import { Lease } from '../src/lease/lease.ts';
import { onOwnConnection } from '../src/session/own-connection.ts';
import { poolSession } from '../src/session/session.ts';
import { OutsideSession } from './kit/outside-session.ts';
import { emptyDatabase } from './kit/database.ts';

const options = { duration: 60_000, wait: 10_000 };

/** A database whose lease one runner released and another holds. */
async function takenOver() {
  const db = await emptyDatabase();
  const tables = tablesOf(db.orm, 'migrator');
  await ensureTables(db.orm, 'migrator', tables);
  const session = poolSession(db.orm);
  const former = await Lease.acquire(session, tables, options);
  await former.release();
  const holder = await Lease.acquire(session, tables, options);
  onTestFinished(() => holder.release());
  return { db, tables, former, holder };
}

/** Sends a statement on a separate connection, waits until it is blocked by `outside`, and returns its outcome. */
async function sendLate(
  url: string,
  outside: OutsideSession,
  sql: string,
): Promise<{ outcome: Promise<unknown> }> {
  const client = new Client(url);
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  const outcome = client.query(sql).catch((error: unknown) => error);
  await outside.waiting(1, 'vacuum t');
  return { outcome };
}

// Its runner was stopped between the look at its lease and the sending, or its network held the statement back.
test('terminates a late statement of the former holder before it sends the next one', async () => {
  const { db, tables, former, holder } = await takenOver();
  await db.orm.em.execute('create table t (id int)');
  await using outside = await OutsideSession.holding(db, 'lock table t in share row exclusive mode');
  const late = await sendLate(db.url, outside, `${fencingComment(tables.lease, former.token)}vacuum t`);

  await onOwnConnection(db.orm, (own) => holder.send(own, 'select 1'));

  await outside.release();
  expect(await late.outcome).toMatchObject({ code: '57P01' });
});

test('does not terminate a statement of the holder while it sends the next one', async () => {
  const { db, tables, holder } = await takenOver();
  await db.orm.em.execute('create table t (id int)');
  await using outside = await OutsideSession.holding(db, 'lock table t in share row exclusive mode');
  const { outcome } = await sendLate(
    db.url,
    outside,
    `${fencingComment(tables.lease, holder.token)}vacuum t`,
  );

  await onOwnConnection(db.orm, (own) => holder.send(own, 'select 1'));

  expect(await outside.waiting(1, 'vacuum t')).toHaveLength(1);
  await outside.release();
  expect(await outcome).toMatchObject({ command: 'VACUUM' });
});

test('sends nothing when another runner acquired the lease', async () => {
  const { db, former } = await takenOver();

  const sending = onOwnConnection(db.orm, (own) => former.send(own, 'create table never ()'));

  await expect(sending).rejects.toMatchObject({ code: 'lock_lost' });
  expect(await db.orm.em.execute(`select to_regclass('never') as made`)).toEqual([{ made: null }]);
});
