import {
  checkedCursor,
  checkedFirst,
  checkedLimit,
  checkedOffset,
  checkedSortKey,
  checkedSortOrder,
  type CursorRequest,
  type PageRequest,
} from '../page.ts';
import { optional, type Check } from './check.ts';
import type { FieldChecks } from './containers.ts';

// Paging has an error of its own, which says what can be served: these throw InvalidPageError.

/** How many rows a list gives at most. */
export const Limit: Check<number> = (value) => void checkedLimit(value);

/** The fields of a request for a page of a list with these sort keys. */
export function pageRequest<SortKey extends string>(
  sortKeys: readonly [SortKey, ...SortKey[]],
): FieldChecks<PageRequest<SortKey>> {
  return {
    limit: optional(Limit),
    offset: (value) => void checkedOffset(value),
    sortBy: (value) => void checkedSortKey(value, sortKeys),
    sortOrder: (value) => void checkedSortOrder(value),
  };
}

/** The fields of a request for a cursor page of a list. */
export const cursorRequest: FieldChecks<CursorRequest> = {
  first: (value) => void checkedFirst(value),
  after: (value) => void checkedCursor(value),
};
