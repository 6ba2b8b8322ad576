import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { isNativeError } from 'node:util/types';
import type { Binaries } from './binaries.ts';
import type { ClusterHome } from './cluster-home.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { renameUnlessTaken } from './rename-unless-taken.ts';
import { runProgram } from './run-program.ts';
import type { ServerUser } from './server-user.ts';
import { beginStaging, isMadeEarlier } from './staging.ts';

/**
 * Makes the cluster of `home`, with superuser and database `synthlab`, unless it is there. It is made beside its place
 * and renamed into it, so that a process killed on the way leaves nothing that looks like a cluster; of several
 * processes at once, one's cluster stays and the others use it.
 *
 * @throws EmbeddedPostgresError `init_failed`
 */
export async function makeCluster(
  home: ClusterHome,
  options: { binaries: Binaries; user: ServerUser | null; durable: boolean; deadline: number },
): Promise<void> {
  const { home: staging, lock } = await beginStaging(home.directory);
  try {
    // Waiting for an earlier one spares the processor, but is no lock, and ends while there is time to do without it:
    // the rename below decides.
    const patience = Date.now() + (options.deadline - Date.now()) / 3;
    while (Date.now() < patience && (await isMadeEarlier(staging))) {
      if (await home.exists()) return;
      await delay(100);
    }
    if (await home.exists()) return;
    await fill(staging, options);
    await renameUnlessTaken(staging.cluster, home.cluster);
    if (options.durable) await sync(home.directory);
  } catch (error) {
    throw new EmbeddedPostgresError(
      'init_failed',
      `The cluster in ${home.directory} could not be made. ${isNativeError(error) ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    await rm(staging.cluster, { recursive: true, force: true, maxRetries: 3 });
    await lock.release();
  }
}

async function fill(
  staging: ClusterHome,
  options: { binaries: Binaries; user: ServerUser | null; durable: boolean; deadline: number },
): Promise<void> {
  const { binaries, user, durable } = options;
  const run = (program: string, args: readonly string[], input = ''): Promise<string> =>
    runProgram(program, args, { user, input, timeoutMs: Math.max(1, options.deadline - Date.now()) });
  await mkdir(staging.data, { mode: 0o700 });
  // URL-safe as it is, so that nobody has to quote it.
  await writeFile(staging.passwordFile, randomBytes(24).toString('base64url'), {
    mode: 0o600,
    flush: durable,
  });
  if (user !== null) {
    await chmod(staging.cluster, 0o755);
    await chown(staging.data, user.uid, user.gid);
    // initdb, which runs as that user, is the only one to read it as such.
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
  // No client is shipped. The standalone backend takes SQL from its input.
  await run(
    binaries.postgres,
    ['--single', '-F', '-c', 'exit_on_error=on', '-D', staging.data, 'postgres'],
    'create database synthlab\n',
  );
  // Neither of the two waited for the disk: this does, once for all files, before anyone can see the cluster.
  if (durable) {
    await run(binaries.initdb, ['--sync-only', `--pgdata=${staging.data}`]);
    await sync(staging.cluster);
  }
}

/** Text sorts by code point, alike on every machine; letters are those of Unicode. */
function localeFlags(major: number): string[] {
  // macOS has no C.UTF-8. Its own tables are asked about letters only.
  const libc =
    process.platform === 'darwin' ? ['--locale=C', '--lc-ctype=en_US.UTF-8'] : ['--locale=C.UTF-8'];
  return major >= 17 ? [...libc, '--locale-provider=builtin', '--builtin-locale=C.UTF-8'] : libc;
}

/** Makes the names in a directory survive a power cut, as PostgreSQL does for its own. */
async function sync(directory: string): Promise<void> {
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
