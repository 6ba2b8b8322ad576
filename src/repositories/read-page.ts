import type { Kysely } from '@mikro-orm/postgresql';
import type { CompiledQuery } from 'kysely';
import type { Tables } from '../entities/tables.ts';
import { decodeCursor, decodeKeyCursor, encodeCursor, type KeyPosition, type Position } from './cursor.ts';
import { checkedCursor, checkedFirst, type CursorPage, type CursorRequest, type Page } from './page.ts';

/**
 * A page and the total of its list by one statement. `list` is ordered and limited; `count` gives `total`, one row.
 * A page past the end still tells the total.
 */
export async function readPage<Row, Shown>(
  db: Kysely<Tables>,
  count: CompiledQuery<{ total: string | number | bigint }>,
  list: CompiledQuery<Row>,
  { limit, offset }: { limit: number; offset: number },
  show: (row: Row) => Shown,
): Promise<Page<Shown>> {
  const shifted = list.sql.replaceAll(
    /\$(\d+)/g,
    (_, n: string) => `$${Number(n) + count.parameters.length}`,
  );
  // One row on the left keeps the order of the right: only a nested loop can join them.
  const sql = `select counted.total, page.* from (${count.sql}) counted left join lateral (select true as present, list.* from (${shifted}) list) page on true`;
  const { rows } = await db.executeQuery<Row & { total: string; present: boolean | null }>({
    ...list,
    sql,
    parameters: [...count.parameters, ...list.parameters],
  });
  const total = Number(rows[0]?.total ?? 0);
  const data = rows.filter(({ present }) => present !== null).map(show);
  return { data, pagination: { total, limit, offset, hasNext: offset + data.length < total } };
}

/** Where a list in its default order goes on, and how many rows were asked for. */
interface Start<Place> {
  readonly from: Place | null;
  readonly first: number;
}

/**
 * Where a list by time, then by key, goes on. Read one row more than asked for, to see whether there are more.
 *
 * @throws InvalidPageError
 */
export function startOf(list: string, request: CursorRequest): Start<Position> {
  return startBy(decodeCursor, list, request);
}

/**
 * Where a list in the order of its keys goes on. Read one row more than asked for, to see whether there are more.
 *
 * @throws InvalidPageError
 */
export function keyStartOf(list: string, request: CursorRequest): Start<KeyPosition> {
  return startBy(decodeKeyCursor, list, request);
}

function startBy<Place>(
  decode: (list: string, cursor: string) => Place,
  list: string,
  { after, first }: CursorRequest,
): Start<Place> {
  const cursor = checkedCursor(after);
  return { from: cursor === null ? null : decode(list, cursor), first: checkedFirst(first) };
}

/** The cursor page that `rows` are, of which one more than `first` was read. */
export function toCursorPage<Row, Shown>(
  list: string,
  rows: readonly Row[],
  first: number,
  position: (row: Row) => Position | KeyPosition,
  show: (row: Row) => Shown,
): CursorPage<Shown> {
  const found = rows.slice(0, first);
  const last = found.at(-1);
  const endCursor = last === undefined ? null : encodeCursor(list, position(last));
  return { items: found.map(show), endCursor, hasNextPage: rows.length > first };
}
