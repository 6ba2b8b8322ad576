import { InvalidPageError } from '../../errors.ts';

/** One page of a list, with what a pager needs to know. A page past the end has no data, and the total. */
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

type SortOrder = 'asc' | 'desc';

/**
 * Which page: `limit` 1 to 200 (default 50), `offset` from 0, the order by one of the list's sort keys. Each list documents its default
 * order; another key sorts descending, unless the list or `sortOrder` says otherwise.
 */
export interface PageRequest<SortKey extends string> {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly sortBy?: SortKey | undefined;
  readonly sortOrder?: SortOrder | undefined;
}

/** One page of a list from a cursor on, in the terms of the ORM's `Cursor`. */
export interface CursorPage<Row> {
  readonly data: readonly Row[];
  readonly pagination: {
    /** Continues the list after the last row; null when there are no rows. */
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
  };
}

/**
 * Which cursor page: the `first` 1 to 200 rows (default 50) after the cursor `after`, from the start when it is absent. Sorted as a page
 * is; a cursor continues the same list in the same order only.
 */
export interface CursorRequest<SortKey extends string = never> {
  readonly first?: number | undefined;
  readonly after?: string | null | undefined;
  readonly sortBy?: SortKey | undefined;
  readonly sortOrder?: SortOrder | undefined;
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
  order: SortOrder = 'desc',
): { limit: number; offset: number; sortBy: SortKey; sortOrder: SortOrder } {
  return {
    limit: checkedLimit(request.limit),
    offset: checkedOffset(request.offset),
    sortBy: checkedSortKey(request.sortBy, sortKeys),
    sortOrder: checkedSortOrder(request.sortOrder, order),
  };
}

/** @throws InvalidPageError unless it is a whole number from 1 to 200; 50 when absent. */
export function checkedLimit(limit: unknown = defaultLimit): number {
  return checkedSize('limit', limit);
}

/** @throws InvalidPageError unless it is a whole number from 1 to 200; 50 when absent. */
export function checkedFirst(first: unknown = defaultLimit): number {
  return checkedSize('first', first);
}

/** @throws InvalidPageError unless it is a whole number from 0; 0 when absent. */
export function checkedOffset(offset: unknown = 0): number {
  if (isWhole(offset) && offset >= 0 && offset <= maxOffset) return offset;
  throw new InvalidPageError(`offset ${shown(offset)} is not a whole number from 0`);
}

/** @throws InvalidPageError unless it is one of the sort keys; the first when absent. */
export function checkedSortKey<SortKey extends string>(
  sortBy: unknown,
  sortKeys: readonly [SortKey, ...SortKey[]],
): SortKey {
  const found = sortBy === undefined ? sortKeys[0] : sortKeys.find((sortKey) => sortKey === sortBy);
  if (found === undefined) throw new InvalidPageError(`can't sort by ${shown(sortBy)}`, sortKeys);
  return found;
}

/** @throws InvalidPageError unless it is `asc` or `desc`; `order` when absent. */
export function checkedSortOrder(sortOrder: unknown, order: SortOrder = 'desc'): SortOrder {
  if (sortOrder === undefined) return order;
  if (sortOrder === 'asc' || sortOrder === 'desc') return sortOrder;
  throw new InvalidPageError(`can't sort in the order ${shown(sortOrder)}`, ['asc', 'desc']);
}

/** @throws InvalidPageError unless it is a text; null when absent. */
export function checkedCursor(after: unknown): string | null {
  if (after === undefined || after === null) return null;
  if (typeof after !== 'string') throw new InvalidPageError('a cursor is a text');
  return after;
}

function checkedSize(name: 'limit' | 'first', size: unknown): number {
  if (isWhole(size) && size >= 1 && size <= maxLimit) return size;
  throw new InvalidPageError(`${name} ${shown(size)} is not a whole number from 1 to ${maxLimit}`);
}

function isWhole(value: unknown): value is number {
  return Number.isInteger(value);
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 50));
  return Object(value) === value ? `[${typeof value}]` : String(value);
}
