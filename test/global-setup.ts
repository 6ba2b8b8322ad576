import { readFileSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { EmbeddedPostgresError } from '../src/embedded/index.ts';
import { DataError } from '../src/errors.ts';
import { parseDatabaseUrl } from '../src/settings/database-url.ts';
import { TestServer } from '../src/testing/index.ts';
import { shareServer } from '../packages/migrator/test/kit/server.ts';
import { sharedCoordinates } from '../src/testing/allocate-database.ts';
import { buildMigrator } from './build-migrator.ts';
import { removePacked } from './packed-package.ts';
import { PgBouncer } from '../packages/migrator/test/kit/pgbouncer.ts';

/** Starts the suite's PostgreSQL once; every test file copies its migrated template. */
export default async function setup(): Promise<() => Promise<void>> {
  keepTemporaryFilesInMemory();
  // Processes that tests start from TypeScript sources compile them once.
  process.env['NODE_COMPILE_CACHE'] ??= join(import.meta.dirname, '../node_modules/.cache/tests');
  buildMigrator();
  const server = await TestServer.start().catch(giveUp);
  // The migrator's tests have their own kit, on the same server; databases of killed runs are found by their prefix.
  shareServer({ url: server.url, prefix: sharedCoordinates().run });
  const pooler = await startPooler(server);
  const elsewhere = server.kind === 'container' ? '' : ' In a container instead: make test-containers.';
  console.log(`Tests run on ${server.description}${pooler ? ', through PgBouncer' : ''}.${elsewhere}`);
  return async () => {
    await removePacked();
    await pooler?.stop();
    await server.stop();
  };
}

/**
 * Keeps temporary files, including the data of all servers, in memory where there is plenty: the tests create hundreds of databases, and a
 * disk's file system takes several times the CPU time for each. A given `TMPDIR` wins.
 */
function keepTemporaryFilesInMemory(): void {
  if (process.env['TMPDIR'] || process.platform !== 'linux') return;
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const [, options] = /^\S+ \/dev\/shm tmpfs (\S+)/m.exec(mounts) ?? [];
  // Some tests run programs that they copied.
  if (options === undefined || options.split(',').includes('noexec')) return;
  const { bavail, bsize } = statfsSync('/dev/shm');
  if (bavail * bsize >= 4 * 2 ** 30) process.env['TMPDIR'] = '/dev/shm';
}

/**
 * With `TEST_POOLER=transaction`, one that shares two server connections of each database among its clients. It has more for tests in
 * which two transactions wait for a third. With `TEST_POOLER_STATEMENTS=0`, it keeps no prepared statements for its clients.
 */
async function startPooler({ url }: TestServer): Promise<PgBouncer | null> {
  const poolMode = process.env['TEST_POOLER'];
  if (!poolMode) return null;
  if (poolMode !== 'transaction')
    throw new Error(`TEST_POOLER is "${poolMode}"; write TEST_POOLER=transaction`);
  const statements = process.env['TEST_POOLER_STATEMENTS'];
  if (statements !== undefined && statements !== '0')
    throw new Error(`TEST_POOLER_STATEMENTS is "${statements}"; write TEST_POOLER_STATEMENTS=0, or omit it`);
  const pooler = await PgBouncer.start(parseDatabaseUrl(url, 'url'), {
    poolMode,
    serverConnections: 2,
    reserve: 20,
    clients: 2_000,
    ...(statements && { preparedStatements: 0 }),
  });
  process.env['TEST_POOLER_URL'] = pooler.url();
  // For tests that open a database as services do, by its URL.
  process.env['DATABASE_POOL_MODE'] = poolMode;
  return pooler;
}

// What is wrong with the settings is said in one line, which vitest would bury under stack traces.
function giveUp(error: unknown): never {
  if (!(error instanceof DataError || error instanceof EmbeddedPostgresError)) throw error;
  console.error(`No test was run. ${error.message}`);
  process.exit(1);
}
