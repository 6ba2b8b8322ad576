import { InvalidPageError } from '../errors.ts';

/** One page of a list, with what a pager needs to know. A page past the end has no data and still tells the total. */
export interface Page<Row> {
  readonly data: readonly Row[];
  readonly pagination: {
    /** Rows in the whole list. */
    readonly total: number;
    readonly limit: number;
    readonly offset: number;
    readonly hasNext: boolean;
  };
}

/**
 * Which page: `limit` 1 to 200 (default 50), `offset` from 0, the order by one of the list's sort keys. Each list tells its default
 * order; another key sorts descending, unless the list or `sortOrder` tells otherwise.
 */
export interface PageRequest<SortKey extends string> {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly sortBy?: SortKey | undefined;
  readonly sortOrder?: 'asc' | 'desc' | undefined;
}

/** A stretch of a list in its default order, and the cursor that continues it; null at the end. */
export interface Stretch<Row> {
  readonly data: readonly Row[];
  readonly next: string | null;
}

/** Which stretch: what follows `after` (from the start when absent), `limit` 1 to 200 rows (default 50). */
export interface StretchRequest {
  readonly after?: string | null | undefined;
  readonly limit?: number | undefined;
}

const defaultLimit = 50;
const maxLimit = 200;
// The largest that PostgreSQL takes for an offset and JavaScript counts exactly.
const maxOffset = Number.MAX_SAFE_INTEGER;

/**
 * The request with its defaults filled in: the first sort key, and `order`.
 *
 * @throws InvalidPageError on a limit, offset, sort key or order outside what is allowed.
 */
export function checkedPage<SortKey extends string>(
  request: PageRequest<SortKey>,
  sortKeys: readonly [SortKey, ...SortKey[]],
  order: 'asc' | 'desc' = 'desc',
): { limit: number; offset: number; sortBy: SortKey; sortOrder: 'asc' | 'desc' } {
  const { offset = 0, sortBy = sortKeys[0], sortOrder = order } = request;
  if (!Number.isInteger(offset) || offset < 0 || offset > maxOffset) {
    throw new InvalidPageError(`offset ${shown(offset)} is not a whole number from 0`);
  }
  if (!sortKeys.includes(sortBy)) throw new InvalidPageError(`can't sort by ${shown(sortBy)}`, sortKeys);
  if (sortOrder !== 'asc' && sortOrder !== 'desc') {
    throw new InvalidPageError(`can't sort in the order ${shown(sortOrder)}`, ['asc', 'desc']);
  }
  return { limit: checkedLimit(request.limit), offset, sortBy, sortOrder };
}

/** @throws InvalidPageError unless it is a whole number from 1 to 200; 50 when absent. */
export function checkedLimit(limit: number = defaultLimit): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxLimit) {
    throw new InvalidPageError(`limit ${shown(limit)} is not a whole number from 1 to ${maxLimit}`);
  }
  return limit;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : String(value);
}
