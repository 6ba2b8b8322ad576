import { createHash } from 'node:crypto';
import { InvalidPageError } from '../errors.ts';

/** Where a list by time goes on: behind the row with this time (text, to the microsecond, that reads the same under any settings) and key. */
export interface Position {
  readonly at: string;
  readonly key: string;
}

/** Where a list in the order of its keys goes on: behind the row with this one. */
export type KeyPosition = Pick<Position, 'key'>;

const time =
  /^\d{4,6}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}(?:\.\d{1,6})?[+-]\d{2}(?::\d{2}){0,2}(?: BC)?$|^-?infinity$/;

/** An opaque cursor for a position in one list. `list` tells lists apart, the narrowing of each included. */
export function encodeCursor(list: string, position: Position | KeyPosition): string {
  const place = 'at' in position ? [position.at, position.key] : [position.key];
  return Buffer.from(JSON.stringify([...place, seal(list, place)])).toString('base64url');
}

/** @throws InvalidPageError when it is none of ours, or of another list. */
export function decodeCursor(list: string, cursor: string): Position {
  const [at, key, ...more] = placeOf(list, cursor);
  if (at === undefined || key === undefined || more.length > 0 || !time.test(at)) throw foreign();
  return { at, key };
}

/** @throws InvalidPageError when it is none of ours, or of another list. */
export function decodeKeyCursor(list: string, cursor: string): KeyPosition {
  const [key, ...more] = placeOf(list, cursor);
  if (key === undefined || more.length > 0) throw foreign();
  return { key };
}

function placeOf(list: string, cursor: string): readonly string[] {
  const parts = parsed(cursor);
  if (!Array.isArray(parts) || !parts.every((part) => typeof part === 'string')) throw foreign();
  const place = parts.slice(0, -1);
  if (parts.at(-1) !== seal(list, place)) throw foreign();
  return place;
}

function parsed(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

// Not a secret: it tells a cursor of another list, or one put together by hand, from ours.
function seal(list: string, place: readonly string[]): string {
  return createHash('sha256')
    .update(JSON.stringify([list, ...place]))
    .digest('base64url')
    .slice(0, 12);
}

function foreign(): InvalidPageError {
  return new InvalidPageError('the cursor is none that this list gave');
}
