import { open, rename, stat, type FileHandle } from 'node:fs/promises';
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

  /** Opens the log; renames one of more than 10 MB to `server.log.old` first, replacing an earlier one. */
  static async open(home: ClusterHome): Promise<ServerLog> {
    let handle = await open(home.logFile, 'a+', 0o600);
    let { size } = await handle.stat();
    if (size > ServerLog.#limit) {
      await handle.close();
      await rename(home.logFile, `${home.logFile}.old`);
      handle = await open(home.logFile, 'a+', 0o600);
      size = 0;
    }
    if (process.getuid?.() === 0) {
      // Root may start the server of an ordinary user, who must be able to start it again.
      const { uid, gid } = await stat(home.cluster);
      await handle.chown(uid, gid);
    }
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
