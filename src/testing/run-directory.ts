import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { lstat, mkdir, open, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemErrorCode } from '../embedded/system/system-error-code.ts';
import { kernelId } from './kernel-id.ts';

const day = 86_400_000;
const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/**
 * A temporary directory of one run, with a named pipe that its process holds open for reading. The kernel closes the pipe when the process
 * ends, which a process that opens the other end observes, in any container that shares the directory.
 */
export class RunDirectory {
  readonly path: string;
  /** A descriptor, since a `FileHandle` is closed when nothing refers to it. */
  readonly #pipe: number;

  private constructor(path: string, pipe: number) {
    this.path = path;
    this.#pipe = pipe;
  }

  /** Creates the directory and its pipe. */
  static async create(parent: string): Promise<RunDirectory> {
    const path = join(parent, `synthdb-run-${await kernelId()}-${randomBytes(4).toString('hex')}`);
    await mkdir(path);
    const unopened = join(path, 'alive.new');
    await promisify(execFile)('mkfifo', ['-m', '600', unopened]);
    const pipe = openSync(unopened, O_RDONLY | O_NONBLOCK);
    // Renamed once it has a reader: a pipe of that name without a reader was abandoned.
    await rename(unopened, join(path, 'alive'));
    return new RunDirectory(path, pipe);
  }

  /** Returns the directories in `parent` of ended runs of this user. */
  static async abandoned(parent: string): Promise<string[]> {
    const kernel = await kernelId();
    const found: string[] = [];
    for (const name of await readdir(parent)) {
      const [, madeOn] = /^synthdb-run-([0-9a-f]{8})-[0-9a-f]{8}$/.exec(name) ?? [];
      const path = join(parent, name);
      if (madeOn !== undefined && (await isAbandoned(path, madeOn === kernel))) found.push(path);
    }
    return found;
  }

  /** Closes the pipe: the directory counts as abandoned from now on. */
  close(): void {
    closeSync(this.#pipe);
  }
}

async function isAbandoned(path: string, onThisKernel: boolean): Promise<boolean> {
  const directory = await lstat(path).catch(() => null);
  if (!directory?.isDirectory() || directory.uid !== process.getuid?.()) return false;
  const reader = onThisKernel ? await hasReader(join(path, 'alive')) : null;
  // Pipes of another kernel can't be checked: the machine may have rebooted, or share the directory over a network. A directory without a
  // pipe is being created, or was partly removed.
  return reader === null ? Date.now() - directory.mtimeMs > day : !reader;
}

/** Whether a process holds the pipe open; null without a pipe. */
async function hasReader(pipe: string): Promise<boolean | null> {
  try {
    const end = await open(pipe, O_WRONLY | O_NONBLOCK);
    await end.close();
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENXIO') return false;
    if (systemErrorCode(error) === 'ENOENT') return null;
    throw error;
  }
}
