import { isNativeError } from 'node:util/types';
import { LegacySourceError } from '../../errors.ts';

// https://www.sqlite.org/rescode.html
const reasons: Partial<Record<number, string>> = {
  5: 'another process has locked it: end what writes to it, or copy it with `sqlite3 <file> ".backup <copy>"` and import the copy',
  6: 'another process has locked it: end what writes to it',
  8: 'SQLite has to write beside it and may not: copy it, with its -wal file if there is one, to a directory that can be written to',
  10: 'the disk failed, or the file was cut short: restore it from a copy',
  11: 'it is damaged or was cut short: restore it from a copy, or salvage it with `sqlite3 <file> .recover`',
  14: 'it, or the -wal file beside it, can not be opened: see that both can be read and that their directory can be written to',
  776: 'who wrote it last was killed on the way, and a -journal file beside it tells how to undo that: do it with `sqlite3 <file> "select 1 from sqlite_schema"`, on a copy of both if you like',
  26: 'it is no SQLite database, or it is encrypted: decrypt it first',
};

/** What SQLite threw, as an error that names the file and the remedy; anything else as it is. */
export function toSourceError(error: unknown, file: string): unknown {
  if (!isNativeError(error) || !('errcode' in error) || typeof error.errcode !== 'number') return error;
  // The lower byte is the kind; what is above it mostly tells more than one can act on.
  const reason = reasons[error.errcode] ?? reasons[error.errcode & 0xff] ?? `SQLite says "${error.message}"`;
  return new LegacySourceError(`${file} can't be read: ${reason}`, { cause: error });
}
