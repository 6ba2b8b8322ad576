import { createHash } from 'node:crypto';
import { InvalidPageError } from '../../errors.ts';

/** The position in a list after which a cursor page starts: the exact sort value, as text, and the value of the tie-breaker. */
export interface CursorPosition {
  readonly sortValue: string | null;
  readonly tieBreaker: string;
}

/** Encodes a position as an opaque cursor. `list` identifies the list, its order and its filters. */
export function encodeCursor(list: string, { sortValue, tieBreaker }: CursorPosition): string {
  const parts = [sortValue, tieBreaker, checkValue(list, sortValue, tieBreaker)];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/**
 * Decodes a cursor of this list.
 *
 * @throws InvalidPageError when the cursor is malformed, or of another list.
 */
export function decodeCursor(list: string, cursor: string): CursorPosition {
  const parts = parsed(cursor);
  if (Array.isArray(parts) && parts.length === 3) {
    const [sortValue, tieBreaker, check]: unknown[] = parts;
    if (
      (sortValue === null || typeof sortValue === 'string') &&
      typeof tieBreaker === 'string' &&
      check === checkValue(list, sortValue, tieBreaker)
    )
      return { sortValue, tieBreaker };
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
function checkValue(list: string, sortValue: string | null, tieBreaker: string): string {
  return createHash('sha256')
    .update(JSON.stringify([list, sortValue, tieBreaker]))
    .digest('base64url')
    .slice(0, 12);
}
