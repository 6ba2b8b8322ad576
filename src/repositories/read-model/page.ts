import { InvalidPageError } from '../../errors.ts';

/**
 * How an offset page gets the number of rows of the whole list. `exact` counts them, which takes longer the more there are; `estimate` is
 * what PostgreSQL's statistics say, by a second statement, and exact on the last page; `none` leaves it out.
 */
export type PageTotal = 'exact' | 'estimate' | 'none';

/** An offset page of a list. A page past the end has no data, and the total. */
export interface Page<Row, Total extends PageTotal = 'exact'> {
  readonly data: readonly Row[];
  readonly pagination: {
    /** The number of rows of the whole list; null with `total: 'none'`. */
    readonly total: Total extends 'none' ? null : number;
    readonly limit: number;
    readonly offset: number;
    readonly hasNext: boolean;
  };
}

type SortOrder = 'asc' | 'desc';

/**
 * The request for an offset page: `limit` 1 to 200 (default 50), `offset` from 0 (default 0), the order by one of the list's sort keys, and
 * `total` (default `exact`). Each list documents its default order.
 */
export interface PageRequest<SortKey extends string, Total extends PageTotal = 'exact'> {
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  readonly sortBy?: SortKey | undefined;
  readonly sortOrder?: SortOrder | undefined;
  readonly total?: Total | undefined;
}

/** A cursor page of a list, in the terms of the ORM's `Cursor`. */
export interface CursorPage<Row> {
  readonly data: readonly Row[];
  readonly pagination: {
    /** Continues the list after the last row; null when there are no rows. */
    readonly endCursor: string | null;
    readonly hasNextPage: boolean;
  };
}

/**
 * The request for a cursor page: the `first` 1 to 200 rows (default 50) after the cursor `after`; absent or null, from the start. Sorted as
 * an offset page is. A cursor requires the same list, order and filters.
 */
export interface CursorRequest<SortKey extends string = never> {
  readonly first?: number | undefined;
  readonly after?: string | null | undefined;
  readonly sortBy?: SortKey | undefined;
  readonly sortOrder?: SortOrder | undefined;
}

/** The request for a stream of a whole list. Sorted as an offset page is. */
export interface StreamRequest<SortKey extends string = never> {
  readonly sortBy?: SortKey | undefined;
  readonly sortOrder?: SortOrder | undefined;
}

/** The values of `total`; the first is the default. */
export const pageTotals = ['exact', 'estimate', 'none'] as const satisfies readonly PageTotal[];

const defaultLimit = 50;
const maxLimit = 200;
// The largest offset that JavaScript represents exactly; PostgreSQL accepts it.
const maxOffset = Number.MAX_SAFE_INTEGER;

/**
 * Returns the request with its defaults: the first sort key, and `order`.
 *
 * @throws InvalidPageError when the limit, the offset, the sort key, the order or the total is invalid.
 */
export function checkedPage<SortKey extends string>(
  request: PageRequest<SortKey, PageTotal>,
  sortKeys: readonly [SortKey, ...SortKey[]],
  order: SortOrder = 'desc',
): { limit: number; offset: number; sortBy: SortKey; sortOrder: SortOrder; total: PageTotal } {
  return {
    limit: checkedLimit(request.limit),
    offset: checkedOffset(request.offset),
    sortBy: checkedSortKey(request.sortBy, sortKeys),
    sortOrder: checkedSortOrder(request.sortOrder, order),
    total: checkedTotal(request.total),
  };
}

/**
 * Returns the limit; default 50.
 *
 * @throws InvalidPageError unless it is a whole number from 1 to 200.
 */
export function checkedLimit(limit: unknown = defaultLimit): number {
  return checkedSize('limit', limit);
}

/**
 * Returns the number of rows of a cursor page; default 50.
 *
 * @throws InvalidPageError unless it is a whole number from 1 to 200.
 */
export function checkedFirst(first: unknown = defaultLimit): number {
  return checkedSize('first', first);
}

/**
 * Returns the offset; default 0.
 *
 * @throws InvalidPageError unless it is a whole number from 0.
 */
export function checkedOffset(offset: unknown = 0): number {
  if (isWhole(offset) && offset >= 0 && offset <= maxOffset) return offset;
  throw new InvalidPageError(`offset ${shown(offset)} is not a whole number from 0`);
}

/**
 * Returns the sort key; default the first.
 *
 * @throws InvalidPageError unless it is one of the sort keys.
 */
export function checkedSortKey<SortKey extends string>(
  sortBy: unknown,
  sortKeys: readonly [SortKey, ...SortKey[]],
): SortKey {
  const found = sortBy === undefined ? sortKeys[0] : sortKeys.find((sortKey) => sortKey === sortBy);
  if (found === undefined) throw new InvalidPageError(`can't sort by ${shown(sortBy)}`, sortKeys);
  return found;
}

/**
 * Returns the sort order; default `order`.
 *
 * @throws InvalidPageError unless it is `asc` or `desc`.
 */
export function checkedSortOrder(sortOrder: unknown, order: SortOrder = 'desc'): SortOrder {
  if (sortOrder === undefined) return order;
  if (sortOrder === 'asc' || sortOrder === 'desc') return sortOrder;
  throw new InvalidPageError(`can't sort in the order ${shown(sortOrder)}`, ['asc', 'desc']);
}

/**
 * Returns how the total is found; default `exact`.
 *
 * @throws InvalidPageError unless it is `exact`, `estimate` or `none`.
 */
export function checkedTotal(total: unknown = pageTotals[0]): PageTotal {
  const found = pageTotals.find((one) => one === total);
  if (found === undefined) throw new InvalidPageError(`the total can't be ${shown(total)}`, pageTotals);
  return found;
}

/**
 * Returns the cursor; null when absent.
 *
 * @throws InvalidPageError unless it is a text.
 */
export function checkedCursor(after: unknown): string | null {
  if (after === undefined || after === null) return null;
  if (typeof after !== 'string') throw new InvalidPageError('the cursor is not a string');
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
