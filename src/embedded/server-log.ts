import { open, rename, stat, type FileHandle } from 'node:fs/promises';
import type { ClusterHome } from './cluster-home.ts';

/** The file that a cluster's server writes its messages to, opened to append to. */
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

  /** A log that has grown beyond 10 MB is put aside first, in place of the one put aside before. */
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
      // Root may start an ordinary user's server, who has to be able to start it again.
      const { uid, gid } = await stat(home.cluster);
      await handle.chown(uid, gid);
    }
    return new ServerLog(home.logFile, handle, size);
  }

  get descriptor(): number {
    return this.#handle.fd;
  }

  /** What was written since it was opened, 64 kB at most. */
  async added(): Promise<string> {
    const { buffer, bytesRead } = await this.#handle.read(Buffer.alloc(65_536), { position: this.#start });
    return buffer.toString('utf8', 0, bytesRead);
  }

  /** Where it is and what its last lines say, for a message. */
  async ending(): Promise<string> {
    const lines = (await this.added()).trim().split('\n').slice(-15).join('\n');
    return `Its log, ${this.#path}, ${lines === '' ? 'says nothing.' : `ends with:\n${lines}`}`;
  }

  /** The server keeps writing through its own copy of the descriptor. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}
