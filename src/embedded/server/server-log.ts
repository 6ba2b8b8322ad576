import { constants, type Stats } from 'node:fs';
import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import { EmbeddedPostgresError } from '../errors/embedded-postgres-error.ts';
import { systemErrorCode } from '../system/system-error-code.ts';
import type { ClusterHome } from '../cluster/cluster-home.ts';

/** The log file of a cluster's server, opened for appending. */
export class ServerLog {
  static readonly #limit = 10_000_000;

  readonly #path: string;
  readonly #handle: FileHandle;
  readonly #start: number;

  private constructor(path: string, handle: FileHandle, start: number) {
    this.#path = path;
    this.#handle = handle;
    this.#start = start;
  }

  /**
   * Opens the log; renames one of more than 10 MB to `server.log.old` first, replacing an earlier one.
   *
   * @throws EmbeddedPostgresError when it is a link or belongs to another user: root would write there, and give it away.
   */
  static async open(home: ClusterHome): Promise<ServerLog> {
    const owner = await stat(home.cluster);
    let handle = await openOwn(home.logFile, owner);
    let { size } = await handle.stat();
    if (size > ServerLog.#limit) {
      await handle.close();
      await rename(home.logFile, `${home.logFile}.old`);
      handle = await openOwn(home.logFile, owner);
      size = 0;
    }
    // Root may start the server of an ordinary user, who must be able to start it again.
    if (process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
    return new ServerLog(home.logFile, handle, size);
  }

  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Returns what was written since the log was opened, up to 64 kB. */
  async readNew(): Promise<string> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(65_536), { position: this.#start });
    return buffer.toString('utf8', 0, bytesRead);
  }

  /** Returns the path and the last lines, for a message. */
  async describeTail(): Promise<string> {
    const lines = (await this.readNew()).trim().split('\n').slice(-15).join('\n');
    return `Its log, ${this.#path}, ${lines === '' ? 'is empty.' : `ends with:\n${lines}`}`;
  }

  /** Closes the descriptor of this process. The server keeps its own. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** Opens a file for appending, and creates it if it does not exist. */
async function openOwn(path: string, { uid }: Stats): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  const refused = (what: string, cause?: unknown): EmbeddedPostgresError =>
    new EmbeddedPostgresError('directory_unusable', `The log ${path} ${what}; remove it.`, { cause });
  const handle = await open(path, flags, 0o600).catch((cause: unknown) => {
    throw systemErrorCode(cause) === 'ELOOP' ? refused('is a symbolic link', cause) : cause;
  });
  const found = await handle.stat();
  const isOwn = found.isFile() && found.nlink === 1 && [uid, process.getuid?.()].includes(found.uid);
  if (isOwn || process.platform === 'win32') return handle;
  await handle.close();
  throw refused(found.nlink > 1 ? 'has another hard link' : 'belongs to another user, or is no file');
}
