import {
  checkedCursor,
  checkedFirst,
  checkedLimit,
  checkedOffset,
  checkedSortKey,
  checkedSortOrder,
  type CursorRequest,
  type PageRequest,
} from '../read-model/page.ts';
import { accepting, optional, type Check } from './check.ts';
import type { FieldChecks } from './containers.ts';

// Paging has its own error, which names the valid values: these throw InvalidPageError.

/** How many rows a list gives at most. */
export const Limit: Check<number> = accepting({ kind: 'number' }, (value) => void checkedLimit(value));

/** The fields of a request for a page of a list with these sort keys. */
export function pageRequest<SortKey extends string>(
  sortKeys: readonly [SortKey, ...SortKey[]],
): FieldChecks<PageRequest<SortKey>> {
  return {
    limit: optional(Limit),
    offset: accepting({ kind: 'number', optional: true }, (value) => void checkedOffset(value)),
    ...order(sortKeys),
  };
}

/** The fields of a request for a cursor page of a list with these sort keys. */
export function cursorRequest<SortKey extends string>(
  sortKeys: readonly [SortKey, ...SortKey[]],
): FieldChecks<CursorRequest<SortKey>> {
  return {
    first: accepting({ kind: 'number', optional: true }, (value) => void checkedFirst(value)),
    after: accepting({ kind: 'text', optional: true, nullable: true }, (value) => void checkedCursor(value)),
    ...order(sortKeys),
  };
}

function order<SortKey extends string>(sortKeys: readonly [SortKey, ...SortKey[]]) {
  const orders: Pick<FieldChecks<PageRequest<SortKey>>, 'sortBy' | 'sortOrder'> = {
    sortBy: accepting(
      { kind: 'word', words: sortKeys, optional: true },
      (value) => void checkedSortKey(value, sortKeys),
    ),
    sortOrder: accepting(
      { kind: 'word', words: ['asc', 'desc'], optional: true },
      (value) => void checkedSortOrder(value),
    ),
  };
  return orders;
}
