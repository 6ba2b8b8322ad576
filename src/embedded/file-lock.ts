import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EmbeddedPostgresError } from './errors.ts';
import { serverEnvironment } from './server-environment.ts';
import { systemErrorCode } from './system-error-code.ts';

/**
 * An exclusive lock on a file, held by the kernel (`flock`). It belongs to the open file: a program that inherits the
 * descriptor shares the lock, and the lock ends when the last such process has ended, in whatever way. So it needs no
 * process id, and it excludes the processes of other containers too.
 */
export class FileLock {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Takes the lock. Returns null if it is held, or if the file was renamed or deleted meanwhile. The file is created if
   * missing, for the owner of its directory, also by root; the directory must exist.
   */
  static async take(path: string): Promise<FileLock | null> {
    const handle = await openLocked(path, constants.O_RDWR | constants.O_CREAT, 'exclusive');
    if (handle === null) return null;
    try {
      if (await isAt(path, handle)) {
        if (process.getuid?.() === 0) {
          const { uid, gid } = await stat(dirname(path));
          await handle.chown(uid, gid);
        }
        return new FileLock(handle);
      }
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return null;
  }

  /**
   * Returns whether a process holds the lock. The look is a shared lock for an instant, which makes a `take` at that
   * instant return null; so callers of `take` try again.
   */
  static async isHeld(path: string): Promise<boolean> {
    try {
      const handle = await openLocked(path, constants.O_RDONLY, 'shared');
      await handle?.close();
      return handle === null;
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** For a program to inherit. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Closes this process's descriptor. The lock stays held by the processes that have inherited it. */
  async release(): Promise<void> {
    await this.#handle.close();
  }
}

type Mode = 'shared' | 'exclusive';

/** The opened and locked file, or null if another lock is in the way. */
async function openLocked(path: string, flags: number, mode: Mode): Promise<FileHandle | null> {
  if (process.platform === 'darwin') return await openLockedOnMac(path, flags, mode);
  const handle = await open(path, flags, 0o600);
  try {
    if (await lockByProgram(path, handle, mode)) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return null;
}

/** O_SHLOCK and O_EXLOCK, each with O_NONBLOCK, of <sys/fcntl.h>: open(2) takes the same lock as flock(2). */
const macFlags = { shared: 0x10 | 0x04, exclusive: 0x20 | 0x04 };

async function openLockedOnMac(path: string, flags: number, mode: Mode): Promise<FileHandle | null> {
  try {
    return await open(path, flags | macFlags[mode], 0o600);
  } catch (error) {
    if (systemErrorCode(error) === 'EAGAIN') return null;
    throw error;
  }
}

/**
 * Linux's open(2) has no such flags, and Node has no flock(2). The program `flock` locks the descriptor that it
 * inherits, which is the same open file as ours.
 */
async function lockByProgram(path: string, handle: FileHandle, mode: Mode): Promise<boolean> {
  // The short options are those of both util-linux and BusyBox.
  const program = spawn('flock', ['-n', mode === 'shared' ? '-s' : '-x', '3'], {
    cwd: '/',
    env: serverEnvironment,
    stdio: ['ignore', 'ignore', 'pipe', handle.fd],
  });
  let complaint = '';
  program.stderr?.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const [code] = await once(program, 'close').catch((cause: unknown) => {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      'The program flock cannot be run, which locks the cluster. Install util-linux, or set DATABASE_URL to a server of your own.',
      { cause },
    );
  });
  if (code === 0 || code === 1) return code === 0;
  throw new EmbeddedPostgresError(
    'directory_unusable',
    `${path} cannot be locked: flock ended with code ${code}. ${complaint.trim()} ` +
      'Use a directory on a file system with locks, or set DATABASE_URL to a server of your own.',
  );
}

/** Whether the file at `path` is the opened one. */
async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const [there, opened] = await Promise.all([stat(path, { bigint: true }), handle.stat({ bigint: true })]);
    return there.ino === opened.ino && there.dev === opened.dev;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
