import type { Kysely } from '@mikro-orm/postgresql';
import type { CompiledQuery } from 'kysely';
import type { Tables } from '../entities/tables.ts';
import { decodeCursor, decodeKeyCursor, encodeCursor, type KeyPosition, type Position } from './cursor.ts';
import { checkedCursor, checkedLimit, type Page, type Stretch, type StretchRequest } from './page.ts';

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
  readonly limit: number;
}

/**
 * Where a list by time, then by key, goes on. Read one row more than asked for, to see whether there are more.
 *
 * @throws InvalidPageError
 */
export function stretchOf(list: string, request: StretchRequest): Start<Position> {
  return startOf(list, request, decodeCursor);
}

/**
 * Where a list in the order of its keys goes on. Read one row more than asked for, to see whether there are more.
 *
 * @throws InvalidPageError
 */
export function keyStretchOf(list: string, request: StretchRequest): Start<KeyPosition> {
  return startOf(list, request, decodeKeyCursor);
}

function startOf<Place>(
  list: string,
  { after, limit }: StretchRequest,
  decode: (list: string, cursor: string) => Place,
): Start<Place> {
  const cursor = checkedCursor(after);
  return { from: cursor === null ? null : decode(list, cursor), limit: checkedLimit(limit) };
}

/** The stretch that `rows` are, of which one more than `limit` was read. */
export function toStretch<Row, Shown>(
  list: string,
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => Position | KeyPosition,
  show: (row: Row) => Shown,
): Stretch<Shown> {
  const last = rows[limit - 1];
  const next = rows.length > limit && last !== undefined ? encodeCursor(list, position(last)) : null;
  return { data: rows.slice(0, limit).map(show), next };
}
