import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '../system/system-error-code.ts';
import type { ClusterHome } from '../cluster/cluster-home.ts';

/** The content of `postmaster.pid`. A killed server leaves the file, so it does not prove that a server runs. */
export interface Postmaster {
  /** 0 while the file is empty: a server has just created it, or was killed then. */
  readonly pid: number;
  /** 0 until the server listens. */
  readonly port: number;
  readonly status: 'starting' | 'ready' | 'stopping';
}

/** Reads the lock file of a cluster's server; returns null when it does not exist. */
export async function readPostmaster(home: ClusterHome): Promise<Postmaster | null> {
  let text: string;
  try {
    text = await readFile(home.postmasterFile, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
  const lines = text.split('\n').map((line) => line.trim());
  return {
    pid: Math.abs(Number.parseInt(lines[0] ?? '', 10)) || 0,
    port: Number.parseInt(lines[3] ?? '', 10) || 0,
    status: parseStatus(lines[7]),
  };
}

function parseStatus(word: string | undefined): Postmaster['status'] {
  // A standby accepts queries too.
  if (word === 'ready' || word === 'standby') return 'ready';
  return word === 'stopping' ? 'stopping' : 'starting';
}
