import {
  checkedCursor,
  checkedFirst,
  checkedLimit,
  checkedOffset,
  checkedSortKey,
  checkedSortOrder,
  checkedTotal,
  pageTotals,
  type CursorRequest,
  type PageRequest,
  type PageTotal,
  type StreamRequest,
} from '../read-model/page.ts';
import { accepting, optional, type AnyCheck, type Check } from './check.ts';
import { objectWith, type FieldChecks } from './containers.ts';

// These throw InvalidPageError, which names the valid values, instead of returning a problem.

/** The maximum number of rows of a list. */
export const Limit: Check<number> = accepting({ kind: 'number' }, (value) => void checkedLimit(value));

/** A read model, as far as a request for a page depends on it. */
interface Sortable<SortKey extends string> {
  readonly sortKeys: readonly [SortKey, ...SortKey[]];
}

/** Returns the check of an optional request for an offset page of a read model, with the fields of `filters`. */
export function pageOf<
  SortKey extends string,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no filters
  Filters extends object = Record<never, never>,
>(
  { sortKeys }: Sortable<SortKey>,
  filters?: FieldChecks<Filters>,
): Check<(PageRequest<SortKey, PageTotal> & Filters) | undefined> {
  const request: FieldChecks<PageRequest<SortKey, PageTotal>> = {
    limit: optional(Limit),
    offset: accepting({ kind: 'number', optional: true }, (value) => void checkedOffset(value)),
    ...order(sortKeys),
    total: accepting(
      { kind: 'word', words: pageTotals, optional: true },
      (value) => void checkedTotal(value),
    ),
  };
  const check: AnyCheck = optional(objectWith({ ...request, ...filters }));
  return check;
}

/** Returns the check of an optional request for a cursor page of a read model, with the fields of `filters`. */
export function cursorOf<
  SortKey extends string,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no filters
  Filters extends object = Record<never, never>,
>(
  { sortKeys }: Sortable<SortKey>,
  filters?: FieldChecks<Filters>,
): Check<(CursorRequest<SortKey> & Filters) | undefined> {
  const request: FieldChecks<CursorRequest<SortKey>> = {
    first: accepting({ kind: 'number', optional: true }, (value) => void checkedFirst(value)),
    after: accepting({ kind: 'text', optional: true, nullable: true }, (value) => void checkedCursor(value)),
    ...order(sortKeys),
  };
  const check: AnyCheck = optional(objectWith({ ...request, ...filters }));
  return check;
}

/** Returns the check of an optional request for a stream of a read model, with the fields of `filters`. */
export function streamOf<
  SortKey extends string,
  // oxlint-disable-next-line typescript/no-generated-empty-object-type -- no filters
  Filters extends object = Record<never, never>,
>(
  { sortKeys }: Sortable<SortKey>,
  filters?: FieldChecks<Filters>,
): Check<(StreamRequest<SortKey> & Filters) | undefined> {
  const check: AnyCheck = optional(objectWith({ ...order(sortKeys), ...filters }));
  return check;
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
