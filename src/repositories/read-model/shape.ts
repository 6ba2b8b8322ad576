import type { AnyReadModel } from './read-model.ts';

export type Row = Record<string, unknown>;

/** What decides on the text of a statement. Everything else is a parameter. */
export interface Shape {
  readonly kind: 'key' | 'count' | 'list' | 'page' | 'scroll';
  readonly given: object;
  readonly sortBy?: string | undefined;
  readonly direction?: 'asc' | 'desc' | undefined;
  /** Whether a list has a limit. */
  readonly limited?: boolean;
  /** Whether a page's offset is worth finding the keys of its rows first. */
  readonly deep?: boolean;
  /** Where a cursor page begins: after a value, or after a null. */
  readonly after?: 'value' | 'null' | undefined;
  /** The read model whose row comes with a cursor page. */
  readonly head?: AnyReadModel | undefined;
}
