import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { emptyDatabase } from '../kit/database.ts';
import { OutsideSession } from '../kit/outside-session.ts';
import { StallProbes } from '../../src/measure/stall-probes.ts';
import { readTables } from '../../src/rows/tables.ts';
import { inTransaction, poolSession } from '../../src/session/session.ts';

/** Returns whether a reader and a writer waited while another session held what `sql` locks for half a second. */
async function waiting(sql: string): Promise<Record<'reads' | 'writes', boolean>> {
  const db = await emptyDatabase();
  await db.orm.em.execute('create table t (id int primary key, a int); insert into t values (1, 1)');
  const { tables } = await inTransaction(db.orm, (session) => readTables(session, 'migrator', 'log'));
  const other = await OutsideSession.holding(db, sql);

  const probes = new StallProbes(poolSession(db.orm), tables);
  await setTimeout(500);
  await other.release();
  await setTimeout(50);
  const waits = await probes.stop();

  const longest = (does: 'reads' | 'writes'): number =>
    Math.max(...waits.filter((one) => one.does === does).map(({ began, ended }) => ended - began));
  return { reads: longest('reads') > 400, writes: longest('writes') > 400 };
}

test.each([
  ['lock table t in access exclusive mode', { reads: true, writes: true }],
  ['lock table t in share mode', { reads: false, writes: true }],
  ['lock table t in share update exclusive mode', { reads: false, writes: false }],
  ['update t set a = 2', { reads: false, writes: true }],
])('%s', async (sql, expected) => {
  expect(await waiting(sql)).toEqual(expected);
});
