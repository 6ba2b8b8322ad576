import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { processAlive } from './process-alive.ts';

const host = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);
const hour = 3_600_000;

/**
 * A folder beside the cluster that is not the cluster: one being made (`new`) or removed (`old`). Its name says since
 * when, on which machine and by which process, so that others can tell work from leftovers.
 */
export class Staging {
  readonly path: string;
  readonly purpose: 'new' | 'old';
  /** When it was begun, in milliseconds since 1970. */
  readonly since: number;
  /** Whether its process may still be at work on it. */
  readonly alive: boolean;

  private constructor(path: string, [, purpose, since, madeOn, pid]: RegExpExecArray) {
    this.path = path;
    this.purpose = purpose === 'new' ? 'new' : 'old';
    this.since = Number(since);
    // Another machine's processes cannot be seen from here, and ids are used again: then age decides.
    this.alive = Date.now() - this.since < hour && (madeOn !== host || processAlive(Number(pid)));
  }

  /** A path for a folder of this process; nothing is made. */
  static path(directory: string, purpose: Staging['purpose']): string {
    const unique = randomBytes(4).toString('hex');
    return join(directory, `cluster.${purpose}-${Date.now()}-${host}-${process.pid}-${unique}`);
  }

  /** All that lie in `directory`, the earliest first. */
  static async list(directory: string): Promise<Staging[]> {
    const found: Staging[] = [];
    for (const name of await readdir(directory)) {
      const parts = /^cluster\.(new|old)-(\d+)-(\w+)-(\d+)-\w+$/.exec(name);
      if (parts !== null) found.push(new Staging(join(directory, name), parts));
    }
    return found.toSorted((a, b) => a.since - b.since || (basename(a.path) < basename(b.path) ? -1 : 1));
  }

  /** The living one that was begun before the one at `path`, the earliest of them, or null. */
  static async before(path: string): Promise<Staging | null> {
    for (const other of await Staging.list(dirname(path))) {
      if (other.path === path) return null;
      if (other.purpose === 'new' && other.alive) return other;
    }
    return null;
  }
}
