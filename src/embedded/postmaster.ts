import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processCommand } from './process-command.ts';
import { systemErrorCode } from './system-error-code.ts';

/** What `postmaster.pid` says of a data directory's server, and whether it is true. */
export interface Postmaster {
  /** 0 while the file is empty: a server has just made it, or one died in that instant. */
  readonly pid: number;
  /** 0 until the server listens. */
  readonly port: number;
  readonly status: 'starting' | 'ready' | 'stopping';
  /** Whether that process is a server of this directory. False: the file was left by one that was killed. */
  readonly running: boolean;
}

/** The server of a data directory, or null if it has none: it was shut down, or never started. */
export async function readPostmaster(dataDirectory: string): Promise<Postmaster | null> {
  let text: string;
  try {
    text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Math.abs(Number.parseInt(lines[0] ?? '', 10)) || 0;
  return {
    pid,
    port: Number.parseInt(lines[3] ?? '', 10) || 0,
    status: statusNamed(lines[7]),
    running: pid > 0 && isServerOf(dataDirectory, await processCommand(pid)),
  };
}

function statusNamed(word: string | undefined): Postmaster['status'] {
  // A standby answers queries too.
  if (word === 'ready' || word === 'standby') return 'ready';
  return word === 'stopping' ? 'stopping' : 'starting';
}

/**
 * Ids are used again, after a reboot or a container's restart at once, so a living process proves nothing. A server
 * that somebody started by hand with a relative path, or none, gets the benefit of the doubt.
 */
function isServerOf(dataDirectory: string, command: string): boolean {
  const program = /^(?:.*?\/)?(?:postgres|postmaster)(?=\s|$)/.exec(command);
  if (program === null) return false;
  return command.includes(dataDirectory) || !/\s-D\s*\//.test(command);
}
