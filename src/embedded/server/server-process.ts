import { isNativeError } from 'node:util/types';
import type { ClusterHome } from '../cluster/cluster-home.ts';
import { clusterOwner } from '../cluster/cluster-owner.ts';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { runProgram } from '../system/run-program.ts';

/**
 * Checks that process `$1` is called postgres and that its working directory is `$2`, the data directory, as recorded by the kernel. A
 * command line proves nothing; another process that got the id works elsewhere; a zombie has no working directory.
 */
const serves =
  process.platform === 'darwin'
    ? 'd=$(/usr/sbin/lsof -a -p "$1" -c postgres -d cwd -Fn | sed -n "s/^n//p") && [ "$d" -ef "$2" ]'
    : '{ read -r name < /proc/$1/comm; } 2>/dev/null && [ "$name" = postgres ] && [ /proc/$1/cwd -ef "$2" ]';

/** Whether a process is the server of this cluster; false when the process is not visible from this container. */
export async function isServer(home: ClusterHome, pid: number): Promise<boolean> {
  return await run(`if ${serves}; then echo yes; fi`, home, pid);
}

/**
 * Sends SIGINT to a process if it is the server of this cluster; returns whether it was sent. Check and signal are two consecutive system
 * calls.
 */
export async function interruptServer(home: ClusterHome, pid: number): Promise<boolean> {
  return await run(`if ${serves} && kill -INT "$1"; then echo yes; fi`, home, pid);
}

/** Runs a script as the server's user: without CAP_SYS_PTRACE, as in most containers, root can't inspect other users' processes. */
async function run(script: string, home: ClusterHome, pid: number): Promise<boolean> {
  if (pid === 0) return false;
  const args = ['-c', script, 'sh', String(pid), home.data];
  const user = await clusterOwner(home);
  try {
    return (await runProgram('/bin/sh', args, { user })).trim() === 'yes';
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'directory_unusable',
      `Process ${pid}, which may be the server of ${home.directory}, could not be inspected: ` +
        (isNativeError(cause) ? cause.message : ''),
      { cause },
    );
  }
}
