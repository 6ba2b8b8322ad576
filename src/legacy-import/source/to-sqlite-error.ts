import { isNativeError } from 'node:util/types';
import { LegacySourceError } from '../../errors.ts';

// https://www.sqlite.org/rescode.html
const reasons: Partial<Record<number, string>> = {
  5: 'another process has locked it; stop the writer, or copy it with `sqlite3 <file> ".backup <copy>"` and import the copy',
  6: 'another process has locked it; stop the writer',
  8: 'SQLite must write beside it, and the directory is read-only; copy it, with its -wal file if it has one, to a writable directory',
  10: 'an I/O error occurred, or the file is truncated; restore it from a backup',
  11: 'it is corrupt or truncated; restore it from a backup, or recover it with `sqlite3 <file> .recover`',
  14: 'it, or its -wal file, cannot be opened; make both readable and their directory writable',
  776: 'its last writer was killed and left a -journal file; roll back with `sqlite3 <file> "select 1 from sqlite_schema"`, on a copy of both if you prefer',
  26: 'it is not a SQLite database, or it is encrypted; decrypt it first',
};

/** Returns an error of SQLite as one that names the file and the remedy; any other error unchanged. */
export function toSqliteError(error: unknown, file: string): unknown {
  if (!isNativeError(error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  // The low byte is the primary code, which suffices for most of the extended codes.
  const reason =
    reasons[error.errcode] ?? reasons[error.errcode & 0xff] ?? `SQLite reports "${error.message}"`;
  return new LegacySourceError(`${file} can't be read: ${reason}`, { cause: error });
}
