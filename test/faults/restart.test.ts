import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { ConnectionError, ConnectionLostError, openDatabase, type Database } from '../../src/index.ts';
import { rejectionOf } from '../database/reported-error.ts';
import { crash } from '../embedded/postmaster.ts';
import { scratchCluster } from '../embedded/scratch.ts';
import { sql } from '../embedded/sql.ts';
import { within } from './proxied-database.ts';

describe('the restart of a server', () => {
  let directory: string;
  let url: string;
  let database: Database;
  const start = (): Promise<EmbeddedPostgres> =>
    EmbeddedPostgres.start({ directory, settings: { fsync: 'off' } });
  beforeEach(async () => {
    directory = await scratchCluster();
    ({ url } = await start());
    database = await openDatabase({ url, pool: { max: 2 }, schemaBehind: 'ignore', schemaAhead: 'ignore' });
  });
  afterEach(async () => {
    await within(1_000, () => database.close());
  });

  test.each([
    ['is stopped', async () => (await EmbeddedPostgres.find({ directory }))?.stop()],
    ['crashes', () => crash(directory)],
  ] as const)('%s: running units of work fail, and new ones are refused until it is back', async (_, end) => {
    const pool = await database.orm.em.getConnection().getNativeClient();
    const running = [1, 2].map(() =>
      rejectionOf(database.transact(({ em }) => em.execute('select pg_sleep(60)'))),
    );
    await expect
      .poll(() =>
        sql(url, `select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`),
      )
      .toHaveLength(2);

    await end();
    for (const failure of await Promise.all(running)) expect(failure).toBeInstanceOf(ConnectionLostError);
    expect(pool).toMatchObject({ totalCount: 0, idleCount: 0, waitingCount: 0 });
    expect(await rejectionOf(database.transact(({ em }) => em.execute('select 1')))).toBeInstanceOf(
      ConnectionError,
    );
    await start();

    expect(await database.transact(({ em }) => em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
    expect(pool).toMatchObject({ totalCount: 1, idleCount: 1, waitingCount: 0 });
  });
});
