import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { Binaries } from '../binaries/binaries.ts';
import type { ClusterHome } from './cluster-home.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { renameUnlessExists } from '../system/rename-unless-exists.ts';
import { runProgram } from '../system/run-program.ts';
import type { ServerUser } from '../system/server-user.ts';
import { createStaging, isEarlierCreationRunning } from './staging.ts';

/**
 * Creates the cluster of `home`, with superuser and database `synthlab`, unless it exists. It is created in a staging folder and renamed
 * into place, so that a killed process leaves no partial cluster. Of concurrent processes, one wins and the others use its cluster.
 *
 * @throws EmbeddedPostgresError `init_failed`.
 */
export async function createCluster(
  home: ClusterHome,
  options: { binaries: Binaries; user: ServerUser | null; durable: boolean; deadline: number },
): Promise<void> {
  const { home: staging, lock } = await createStaging(home.directory);
  try {
    // Waiting for an earlier process saves CPU time only; the rename below decides which cluster wins.
    const waitUntil = Date.now() + (options.deadline - Date.now()) / 3;
    while (Date.now() < waitUntil && (await isEarlierCreationRunning(staging))) {
      if (await home.exists()) return;
      await delay(100);
    }
    if (await home.exists()) return;
    await initialize(staging, options);
    await renameUnlessExists(staging.cluster, home.cluster);
    if (options.durable) await syncDirectory(home.directory);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'init_failed',
      `The cluster in ${home.directory} could not be created: ${isNativeError(error) ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    await rm(staging.cluster, { recursive: true, force: true, maxRetries: 3 });
    await lock.release();
  }
}

async function initialize(
  staging: ClusterHome,
  options: { binaries: Binaries; user: ServerUser | null; durable: boolean; deadline: number },
): Promise<void> {
  const { binaries, user, durable } = options;
  const run = (program: string, args: readonly string[], input = ''): Promise<string> =>
    runProgram(program, args, { user, input, timeoutMs: Math.max(1, options.deadline - Date.now()) });
  await mkdir(staging.data, { mode: 0o700 });
  // base64url needs no quoting in a URL.
  await writeFile(staging.passwordFile, randomBytes(24).toString('base64url'), {
    mode: 0o600,
    flush: durable,
  });
  if (user !== null) {
    await chmod(staging.cluster, 0o755);
    await chown(staging.data, user.uid, user.gid);
    // Only initdb, which runs as that user, reads it.
    await chown(staging.passwordFile, user.uid, user.gid);
  }
  await run(binaries.initdb, [
    `--pgdata=${staging.data}`,
    '--username=synthlab',
    `--pwfile=${staging.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    ...localeFlags(binaries.major),
    '--no-sync',
  ]);
  if (user !== null) await chown(staging.passwordFile, 0, 0);
  // The package has no client. The single-user backend reads SQL from standard input.
  await run(
    binaries.postgres,
    ['--single', '-F', '-c', 'exit_on_error=on', '-D', staging.data, 'postgres'],
    'create database synthlab\n',
  );
  // Neither of the two programs synced: this does, once for all files, before the cluster becomes visible.
  if (durable) {
    await run(binaries.initdb, ['--sync-only', `--pgdata=${staging.data}`]);
    await syncDirectory(staging.cluster);
  }
}

/** Returns initdb's locale options: collation by code point, the same on every machine, with Unicode's character classes. */
function localeFlags(major: number): string[] {
  // macOS has no C.UTF-8; its locale is used for character classes only.
  const libc =
    process.platform === 'darwin' ? ['--locale=C', '--lc-ctype=en_US.UTF-8'] : ['--locale=C.UTF-8'];
  return major >= 17 ? [...libc, '--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : libc;
}

/** Syncs a directory, so that its entries survive a power failure. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
