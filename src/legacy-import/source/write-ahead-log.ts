import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

// The header's version of the format for readers: https://www.sqlite.org/fileformat.html
const versionOffset = 19;
const walVersion = 2;

/** The files `-wal` and `-shm` beside a SQLite file. */
export class WriteAheadLog {
  /** Whether the file is in WAL mode and has no log beside it, as after its last writer ended, or in a copy that left the log behind. */
  readonly mayLack: boolean;
  readonly #file: string;
  readonly #existed: boolean;
  readonly #Sqlite: typeof DatabaseSync;

  /** Looks at the files, before the file is opened. */
  constructor(file: string, Sqlite: typeof DatabaseSync) {
    this.#file = file;
    this.#existed = existsSync(`${file}-wal`);
    this.#Sqlite = Sqlite;
    this.mayLack = !this.#existed && readVersion(file) === walVersion;
  }

  /**
   * Removes both files if they were created by reading, which leaves them behind. SQLite itself does so when a connection that may write is
   * the last one to be closed; it has nothing to write.
   */
  removeOwn(): void {
    if (this.#existed || !existsSync(`${this.#file}-wal`)) return;
    try {
      const last = new this.#Sqlite(this.#file);
      last.exec('select count(*) from sqlite_schema');
      last.close();
    } catch {
      // A file that can't be written, or that another process uses by now.
    }
  }
}

function readVersion(file: string): number | undefined {
  const header = Buffer.alloc(versionOffset + 1);
  const descriptor = openSync(file, 'r');
  try {
    readSync(descriptor, header, 0, header.length, 0);
  } finally {
    closeSync(descriptor);
  }
  return header[versionOffset];
}
