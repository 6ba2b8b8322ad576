import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { open, stat, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { serverEnvironment } from './server-environment.ts';
import { systemErrorCode } from './system-error-code.ts';

/**
 * An exclusive lock of the kernel on a file (`flock`). It belongs to the open file description: a program that inherits the descriptor
 * shares the lock, which is released when the last such process ends. It needs no process id, and works across containers.
 */
export class FileLock {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /**
   * Acquires the lock without waiting; returns null when it is held, or when the file was renamed or deleted meanwhile. Creates the file
   * when missing, owned by the owner of its directory, which must exist.
   */
  static async tryAcquire(path: string): Promise<FileLock | null> {
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
   * Whether a process holds the lock. It acquires a shared lock for an instant, during which `tryAcquire` returns null; callers of
   * `tryAcquire` retry.
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

  /** The file descriptor, for a child process to inherit. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Closes the descriptor of this process. Processes that have inherited it keep the lock. */
  async release(): Promise<void> {
    await this.#handle.close();
  }
}

type Mode = 'shared' | 'exclusive';

/** Opens and locks the file; returns null when another lock conflicts. */
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

/** Locks by the program `flock`, which inherits the descriptor: Linux's open(2) has no such flags, and Node has no flock(2). */
async function lockByProgram(path: string, handle: FileHandle, mode: Mode): Promise<boolean> {
  // Short options, which util-linux and BusyBox share.
  const program = spawn('flock', ['-n', mode === 'shared' ? '-s' : '-x', '3'], {
    cwd: '/',
    env: serverEnvironment,
    stdio: ['ignore', 'ignore', 'pipe', handle.fd],
  });
  let errorOutput = '';
  program.stderr?.on('data', (chunk: Buffer) => (errorOutput += chunk.toString()));
  const [code] = await once(program, 'close').catch((cause: unknown) => {
    throw new EmbeddedPostgresError(
      'unsupported_platform',
      'The program flock, which locks the cluster, cannot be run. Install util-linux, or set DATABASE_URL to another server.',
      { cause },
    );
  });
  if (code === 0 || code === 1) return code === 0;
  throw new EmbeddedPostgresError(
    'directory_unusable',
    `${path} cannot be locked: flock exited with code ${code}. ${errorOutput.trim()} ` +
      'Use a directory on a file system with locks, or set DATABASE_URL to another server.',
  );
}

/** Whether the file at `path` is the open one. */
async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  try {
    const [current, opened] = await Promise.all([
      stat(path, { bigint: true }),
      handle.stat({ bigint: true }),
    ]);
    return current.ino === opened.ino && current.dev === opened.dev;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return false;
    throw error;
  }
}
