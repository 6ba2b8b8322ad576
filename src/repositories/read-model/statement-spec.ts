import type { TextCollation } from './contains-text.ts';
import type { ResolvedModel } from './resolved-model.ts';

/** Everything that determines the text of a statement. All other values are parameters. */
export interface StatementSpec {
  readonly kind: 'key' | 'count' | 'estimate' | 'list' | 'page' | 'scroll';
  /** The values of the filters, by name. Only which of them are absent or null, and choices, determine the text. */
  readonly filterValues: object;
  readonly sortBy?: string | undefined;
  readonly direction?: 'asc' | 'desc' | undefined;
  /** Whether a list has a limit. */
  readonly limited?: boolean;
  /** Whether an offset page has the number of rows of the whole list. */
  readonly counted?: boolean;
  /** The limit of the first page of a list, when it is in the text; undefined when limit and offset are parameters. */
  readonly firstRows?: number | undefined;
  /** Whether an offset page finds the keys of its rows first. */
  readonly keysFirst?: boolean;
  /** Whether a cursor page starts after a value or after a null; undefined for the first page. */
  readonly after?: 'value' | 'null' | undefined;
  /** The collation for filters by a contained text. */
  readonly collation?: TextCollation | undefined;
  /** The read model whose row is returned with a cursor page. */
  readonly head?: ResolvedModel | undefined;
}
