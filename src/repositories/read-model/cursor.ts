import { createHash } from 'node:crypto';
import { InvalidPageError } from '../../errors.ts';

/** Where a list continues: after the row with this sort value, exact and as text, and this value of the column that orders ties. */
export interface Place {
  readonly at: string | null;
  readonly tie: string;
}

/** Returns an opaque cursor for a place in a list. `list` identifies the list, its order and its filters. */
export function encodeCursor(list: string, { at, tie }: Place): string {
  return Buffer.from(JSON.stringify([at, tie, checkValue(list, at, tie)])).toString('base64url');
}

/** @throws InvalidPageError when the cursor is malformed, or of another list. */
export function decodeCursor(list: string, cursor: string): Place {
  const parts = parsed(cursor);
  if (Array.isArray(parts) && parts.length === 3) {
    const [at, tie, check]: unknown[] = parts;
    if (
      (at === null || typeof at === 'string') &&
      typeof tie === 'string' &&
      check === checkValue(list, at, tie)
    )
      return { at, tie };
  }
  throw new InvalidPageError('the cursor is malformed or belongs to another list');
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

// Not a secret: it detects a cursor of another list, or one assembled by hand.
function checkValue(list: string, at: string | null, tie: string): string {
  return createHash('sha256')
    .update(JSON.stringify([list, at, tie]))
    .digest('base64url')
    .slice(0, 12);
}
