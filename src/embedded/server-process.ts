import { isNativeError } from 'node:util/types';
import type { ClusterHome } from './cluster-home.ts';
import { clusterOwner } from './cluster-owner.ts';
import { EmbeddedPostgresError } from './errors.ts';
import { runProgram } from './run-program.ts';

/**
 * Whether the process `$1` is called postgres and works in the directory `$2`, as every server works in its data
 * directory. Both are the kernel's own record: a command line proves nothing, and another process that has got the id
 * works elsewhere. One that has ended works nowhere, even before its parent has collected it.
 */
const serves =
  process.platform === 'darwin'
    ? 'd=$(/usr/sbin/lsof -a -p "$1" -c postgres -d cwd -Fn | sed -n "s/^n//p") && [ "$d" -ef "$2" ]'
    : '{ read -r name < /proc/$1/comm; } 2>/dev/null && [ "$name" = postgres ] && [ /proc/$1/cwd -ef "$2" ]';

/** Returns whether a process is a server of this cluster. A process that cannot be seen from this container is not. */
export async function isServer(home: ClusterHome, pid: number): Promise<boolean> {
  return await run(`if ${serves}; then echo yes; fi`, home, pid);
}

/**
 * Sends SIGINT to a server of this cluster, and nothing to any other process. Returns whether it was sent. The check
 * and the signal are two system calls, one right after the other.
 */
export async function interruptServer(home: ClusterHome, pid: number): Promise<boolean> {
  return await run(`if ${serves} && kill -INT "$1"; then echo yes; fi`, home, pid);
}

/** Runs as the server's user: without CAP_SYS_PTRACE, as in most containers, root sees too little of other users' processes. */
async function run(script: string, home: ClusterHome, pid: number): Promise<boolean> {
  if (pid === 0) return false;
  const args = ['-c', script, 'sh', String(pid), home.data];
  const user = await clusterOwner(home);
  try {
    return (await runProgram('/bin/sh', args, { user })).trim() === 'yes';
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'directory_unusable',
      `Whether process ${pid} is the server of ${home.directory} could not be checked. ` +
        (isNativeError(cause) ? cause.message : ''),
      { cause },
    );
  }
}
