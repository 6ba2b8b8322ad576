import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { userForNewCluster } from '../../src/embedded/system/user-for-new-cluster.ts';
import { openDatabase } from '../../src/index.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { failureOf } from '../database/told.ts';
import { scratchCluster } from '../embedded/scratch.ts';
import { sql } from '../embedded/sql.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';

test.each(['prefer', 'require'])(
  'a signal reaches a server that is talked to under encryption, and is encrypted itself: sslmode=%s',
  async (sslmode) => {
    const directory = await scratchCluster();
    const { url } = await EmbeddedPostgres.start({
      directory,
      settings: { fsync: 'off', ...(await encryption()) },
    });
    await using proxy = await WireProxy.start(parseDatabaseUrl(url, 'url'));
    await using database = await openDatabase({
      url: proxy.url().replace('sslmode=disable', `sslmode=${sslmode}`),
      schemaBehind: 'ignore',
      schemaAhead: 'ignore',
    });
    const caller = new AbortController();
    const reason = new Error('given up');
    const running = (): Promise<unknown[]> =>
      sql(url, `select 1 from pg_stat_activity where query = 'select pg_sleep(60)' and state = 'active'`);
    const canceled = failureOf(
      database.transact(({ em }) => em.execute('select pg_sleep(60)'), { signal: caller.signal }),
    );
    await expect.poll(running).toHaveLength(1);

    caller.abort(reason);

    expect(await canceled).toBe(reason);
    expect(await running()).toEqual([]);
    // The proxy reads what is not encrypted.
    expect(proxy.statements).toEqual([]);
    expect(proxy.cancels).toBe(0);
  },
);

/** Settings of a server that has a certificate of its own. */
async function encryption(): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'synth-lab-tls-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const [key, certificate] = [join(directory, 'server.key'), join(directory, 'server.crt')];
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  await promisify(execFile)('openssl', [...request.split(' '), '-keyout', key, '-out', certificate]);
  const user = await userForNewCluster();
  if (user) for (const path of [directory, key, certificate]) await chown(path, user.uid, user.gid);
  return { ssl: 'on', ssl_cert_file: certificate, ssl_key_file: key };
}
