import type { Session } from '../session/session.ts';
import type { Standalone } from '../sql/classify-standalone.ts';

/** The object that a statement drops, as the server resolved its name. */
export interface Dropped {
  readonly oid: string;
}

/** The index that a statement builds concurrently. */
export interface Built {
  /** The table's oid. */
  readonly table: string;
  /** The name of the index, as the server truncates it. */
  readonly index: string;
}

/** What a statement indexes again. */
type Reindexed = Pick<Standalone & { readonly kind: 'reindex' }, 'what' | 'name'>;

/** What a statement outside a transaction works on: recorded before it is sent, because its text may be edited or gone later. */
export type Target = Dropped | Built | Reindexed;

/** Returns what a statement is about to drop or build: later its name may resolve to another object of the search path. */
export async function resolveStatementTarget(kind: Standalone, session: Session): Promise<Target | null> {
  switch (kind.kind) {
    case 'drop index': {
      const [found] = await session.query<{ oid: string | null }>(
        'select to_regclass($1)::oid::text as oid',
        [kind.index],
      );
      return found?.oid == null ? null : { oid: found.oid };
    }
    case 'create index': {
      const [found] = await session.query<Built>(
        `select oid::text as table, (parse_ident($2)::name[])[1]::text as index from pg_class where oid = to_regclass($1)`,
        [kind.table, kind.index],
      );
      return found ?? null;
    }
    case 'reindex':
      return { what: kind.what, name: kind.name };
    case 'detach partition':
    case 'other':
    default:
      return null;
  }
}

/** Parses a target that was stored as JSON; null for the checkpoint of a backfill. */
export function parseTarget(text: string): Target | null {
  const found: Partial<Dropped & Built & Reindexed> = JSON.parse(text);
  const { oid, table, index, what, name = null } = found;
  if (oid !== undefined) return { oid };
  if (table !== undefined && index !== undefined) return { table, index };
  return what === undefined ? null : { what, name };
}
