import { createHash } from 'node:crypto';
import { InvalidPageError } from '../errors.ts';

/** Where a list goes on: behind the row with this time (text, to the microsecond, as the database wrote it) and key. */
export interface Position {
  readonly at: string;
  readonly key: string;
}

const time = /^\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?[+-]\d{2}(?::\d{2}){0,2}$/;

/** An opaque cursor for a position in one list. `list` tells lists apart, the narrowing of each included. */
export function encodeCursor(list: string, { at, key }: Position): string {
  return Buffer.from(JSON.stringify([at, key, seal(list, at, key)])).toString('base64url');
}

/** @throws InvalidPageError when it is none of ours, or of another list. */
export function decodeCursor(list: string, cursor: string): Position {
  const parts = parsed(cursor);
  if (Array.isArray(parts) && parts.length === 3) {
    const [at, key, sealed]: unknown[] = parts;
    if (
      typeof at === 'string' &&
      time.test(at) &&
      typeof key === 'string' &&
      sealed === seal(list, at, key)
    ) {
      return { at, key };
    }
  }
  throw new InvalidPageError('the cursor is none that this list gave');
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

// Not a secret: it tells a cursor of another list, or one put together by hand, from ours.
function seal(list: string, at: string, key: string): string {
  return createHash('sha256')
    .update(JSON.stringify([list, at, key]))
    .digest('base64url')
    .slice(0, 12);
}
