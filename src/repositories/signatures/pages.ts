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
import { accepting, optional, type Check } from './check.ts';
import type { FieldChecks } from './containers.ts';

// Paging has an error of its own, which says what can be served: these throw InvalidPageError.

/** How many rows a list gives at most. */
export const Limit: Check<number> = accepting({ kind: 'number' }, (value) => void checkedLimit(value));

/** The fields of a request for a page of a list with these sort keys. */
export function pageRequest<SortKey extends string>(
  sortKeys: readonly [SortKey, ...SortKey[]],
): FieldChecks<PageRequest<SortKey>> {
  return {
    limit: optional(Limit),
    offset: accepting({ kind: 'number', optional: true }, (value) => void checkedOffset(value)),
    sortBy: accepting(
      { kind: 'word', words: sortKeys, optional: true },
      (value) => void checkedSortKey(value, sortKeys),
    ),
    sortOrder: accepting(
      { kind: 'word', words: ['asc', 'desc'], optional: true },
      (value) => void checkedSortOrder(value),
    ),
  };
}

/** The fields of a request for a cursor page of a list. */
export const cursorRequest: FieldChecks<CursorRequest> = {
  first: accepting({ kind: 'number', optional: true }, (value) => void checkedFirst(value)),
  after: accepting({ kind: 'text', optional: true, nullable: true }, (value) => void checkedCursor(value)),
};
