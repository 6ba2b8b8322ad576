import type { EntityManager } from '@mikro-orm/postgresql';
import type { CompiledQuery, Expression, RawBuilder } from 'kysely';
import type { Tables } from '../../entities/tables.ts';
import { NotFoundError } from '../../errors.ts';
import {
  checkedCursor,
  checkedFirst,
  checkedPage,
  type CursorPage,
  type CursorRequest,
  type Page,
  type PageRequest,
  type PageTotal,
  type StreamRequest,
} from './page.ts';
import { boundStatement } from './compiled-statements.ts';
import { filterStates, searchesText } from './conditions.ts';
import { textCollation } from './contains-text.ts';
import { decodeCursor, encodeCursor, type CursorPosition } from './cursor.ts';
import type { ReadModel } from './read-model.ts';
import { resolveModel, type ResolvedModel } from './resolved-model.ts';
import { rowStream, type RowStream } from './row-stream.ts';
import type { Row } from './row.ts';
import type { StatementSpec } from './statement-spec.ts';

/** From this offset on, an offset page finds the keys of its rows first. */
const keysFirstOffset = 1_000;

/**
 * First pages with these limits have a statement each, with the limit in its text, so that PostgreSQL plans it once for a connection. With a
 * parameter it would plan every call, since a plan for all limits looks dearer.
 */
const usualLimits: ReadonlySet<number> = new Set([10, 20, 25, 50, 100, 200]);

/** Reads the rows of a read model in one unit of work. Every method flushes first and sends one statement. */
export class ReadModelReader<Shown, FilterValues extends object, SortKey extends string> {
  readonly #em: EntityManager;
  readonly #model: ReadModel<Shown, FilterValues, SortKey>;
  readonly #resolved: ResolvedModel;

  constructor(em: EntityManager, model: ReadModel<Shown, FilterValues, SortKey>) {
    this.#em = em;
    this.#model = model;
    this.#resolved = resolveModel(model, em);
  }

  /** Returns the row with this key; null if none exists, or a filter excludes it. */
  async find(key: string, filters: Partial<FilterValues> = {}): Promise<Shown | null> {
    const [row] = await this.#read({ kind: 'key', filterValues: filters }, { ...filters, $key: key });
    return row ? this.#show(row) : null;
  }

  /**
   * Returns the row with this key.
   *
   * @throws NotFoundError if it does not exist, or a filter excludes it.
   */
  async get(key: string, filters: Partial<FilterValues> = {}): Promise<Shown> {
    const found = await this.find(key, filters);
    if (found === null) throw new NotFoundError(this.#resolved.table.entityName, key);
    return found;
  }

  /** Returns the first row of a list; null when it has none. */
  async first(filters: FilterValues, sortBy: SortKey = this.#model.sortKeys[0]): Promise<Shown | null> {
    const spec = { kind: 'list', filterValues: filters, sortBy, limited: true } as const;
    const [row] = await this.#read(spec, { ...filters, $limit: 1 });
    return row ? this.#show(row) : null;
  }

  /** Returns every row of a list. */
  async list(filters: FilterValues, sortBy: SortKey = this.#model.sortKeys[0]): Promise<Shown[]> {
    const rows = await this.#read({ kind: 'list', filterValues: filters, sortBy }, filters);
    return rows.map((row) => this.#show(row));
  }

  /**
   * Returns every row of a list, read as they are consumed.
   *
   * @throws InvalidPageError
   */
  stream(request: StreamRequest<SortKey> & FilterValues): RowStream<Shown> {
    const { sortBy, sortOrder: direction } = checkedPage(
      { sortBy: request.sortBy, sortOrder: request.sortOrder },
      this.#model.sortKeys,
      this.#model.direction,
    );
    const spec = { kind: 'list', filterValues: request, sortBy, direction } as const;
    const query = () => this.#statement(spec, request);
    return rowStream({ em: this.#em, query, chunkSize: this.#model.streamedAtOnce }, (row) =>
      this.#show(row),
    );
  }

  /** Returns the number of rows of a list. */
  async count(filters: FilterValues): Promise<number> {
    const [row] = await this.#read({ kind: 'count', filterValues: filters }, filters);
    return Number(row?.['$total']);
  }

  /**
   * Returns an offset page of a list.
   *
   * @throws InvalidPageError; NotFoundError if the parent of the rows does not exist.
   */
  async page<Total extends PageTotal = 'exact'>(
    request: PageRequest<SortKey, Total> & FilterValues,
  ): Promise<Page<Shown, Total>> {
    const { limit, offset, sortBy, sortOrder, total } = checkedPage(
      request,
      this.#model.sortKeys,
      this.#model.direction,
    );
    const keysFirst = offset >= keysFirstOffset;
    const counted = total === 'exact';
    // Without the total, one more row says whether another page follows.
    const read = counted ? limit : limit + 1;
    const firstRows = offset === 0 && usualLimits.has(limit) ? read : undefined;
    const rows = await this.#read(
      { kind: 'page', filterValues: request, sortBy, direction: sortOrder, counted, firstRows, keysFirst },
      { ...request, $limit: read, $offset: offset },
    );
    const [first] = rows;
    if (!first && (counted || this.#model.parent)) throw this.#parentNotFound(request);
    const found = pageRows(rows);
    const data = found.slice(0, limit).map((row) => this.#showPart(row));
    const end = offset + data.length;
    const exact = counted ? Number(first?.['$total']) : null;
    const hasNext = exact === null ? found.length > limit : end < exact;
    const all = total === 'estimate' ? await this.#estimate(request, { offset, end, hasNext }) : exact;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- null for `none` alone
    const asked = all as Page<Shown, Total>['pagination']['total'];
    return { data, pagination: { total: asked, limit, offset, hasNext } };
  }

  /** Returns the number of rows of a list: exactly where a page ends it, and otherwise as PostgreSQL estimates it, though not below what was seen. */
  async #estimate(
    filters: FilterValues,
    { offset, end, hasNext }: { readonly offset: number; readonly end: number; readonly hasNext: boolean },
  ): Promise<number> {
    if (!hasNext && (end > offset || offset === 0)) return end;
    const [row] = await this.#read({ kind: 'estimate', filterValues: filters }, filters);
    const estimate = estimatedRows(row);
    return hasNext ? Math.max(estimate, end + 1) : Math.min(estimate, offset);
  }

  /**
   * Returns a cursor page of a list.
   *
   * @throws InvalidPageError; NotFoundError if the parent of the rows does not exist.
   */
  async scroll(request: CursorRequest<SortKey> & FilterValues): Promise<CursorPage<Shown>> {
    const [rows, toPage] = await this.#scroll(request);
    if (rows.length === 0 && this.#model.parent) throw this.#parentNotFound(request);
    return toPage(rows);
  }

  /** Returns a cursor page together with the row of another read model with this key; null if there is no such row. */
  async scrollWith<Head>(
    head: ReadModel<Head, object, string>,
    key: string,
    request: CursorRequest<SortKey> & FilterValues,
  ): Promise<readonly [head: Head, page: CursorPage<Shown>] | null> {
    const [rows, toPage] = await this.#scroll(request, resolveModel(head, this.#em), key);
    const [first] = rows;
    if (!first) return null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the row of the model
    return [resolveModel(head, this.#em).showPart(first, '$') as Head, toPage(rows)];
  }

  /** Returns the rows of a statement that selects `columns` from a source that is named like the table. */
  async select(write: (columns: Expression<Row>) => RawBuilder<Row>): Promise<Shown[]> {
    await this.#em.flush();
    const { rows } = await write(this.#resolved.selection()).execute(this.#em.getKysely<Tables>());
    return rows.map((row) => this.#show(row));
  }

  async #scroll(request: CursorRequest<SortKey> & FilterValues, head?: ResolvedModel, key?: string) {
    const { sortBy, sortOrder } = checkedPage(
      { sortBy: request.sortBy, sortOrder: request.sortOrder },
      this.#model.sortKeys,
      this.#model.direction,
    );
    const first = checkedFirst(request.first);
    const list = this.#listId(request, sortBy, sortOrder);
    const cursor = checkedCursor(request.after);
    const position = cursor === null ? undefined : decodeCursor(list, cursor);
    const after = position && (position.sortValue === null ? 'null' : 'value');
    const rows = await this.#read(
      { kind: 'scroll', filterValues: request, sortBy, direction: sortOrder, after, head },
      { ...request, $limit: first + 1, $at: position?.sortValue, $tie: position?.tieBreaker, $head: key },
    );
    const toPage = (read: readonly Row[]): CursorPage<Shown> => {
      const found = pageRows(read);
      const shown = found.slice(0, first);
      const last = shown.at(-1);
      const endCursor = last ? encodeCursor(list, this.#positionOf(last, sortBy)) : null;
      const pagination = { endCursor, hasNextPage: found.length > first };
      return { data: shown.map((row) => this.#showPart(row)), pagination };
    };
    return [rows, toPage] as const;
  }

  /** Returns the identity of a list for its cursors: names and values, which a deployment does not change. */
  #listId(values: object, sortBy: string, direction: string): string {
    const states = filterStates(this.#model, values, true);
    const filters = this.#model.filters.map(([name], index) =>
      states[index] === '=' ? [Reflect.get(values, name)] : states[index],
    );
    return JSON.stringify([this.#model.from, sortBy, direction, ...filters]);
  }

  #positionOf({ $at: value, $tie: tie }: Row, sortBy: string): CursorPosition {
    const sort = this.#model.sorts[sortBy];
    return {
      sortValue: value === null || typeof sort !== 'string' ? null : this.#resolved.cursorText(sort, value),
      tieBreaker: this.#resolved.cursorText(this.#resolved.tieBreaker, tie),
    };
  }

  #parentNotFound(values: object): NotFoundError {
    const { filter, table } = this.#resolved.parent ?? { filter: '', table: this.#resolved.table };
    return new NotFoundError(table.entityName, Reflect.get(values, filter));
  }

  async #read(spec: StatementSpec, values: object): Promise<Row[]> {
    await this.#em.flush();
    return (await this.#em.getKysely<Tables>().executeQuery(await this.#statement(spec, values))).rows;
  }

  async #statement(spec: StatementSpec, values: object): Promise<CompiledQuery<Row>> {
    const states = filterStates(this.#model, spec.filterValues, spec.kind !== 'key');
    const collation = searchesText(this.#model, states) ? await textCollation(this.#em) : undefined;
    return boundStatement(this.#resolved, this.#em.getKysely<Tables>(), { ...spec, collation }, values);
  }

  #show(row: Row): Shown {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the row of the model
    return this.#resolved.show(row) as Shown;
  }

  #showPart(row: Row): Shown {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the row of the model
    return this.#resolved.showPart(row) as Shown;
  }
}

/** Returns the rows of a page, without a head row that was returned alone. */
function pageRows(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ $present: present }) => present !== null);
}

/** Returns the number of rows that the planner expects, of the row of `explain (format json)`. */
function estimatedRows(row: Row | undefined): number {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the format of PostgreSQL
  const plans = row?.['QUERY PLAN'] as
    | readonly { readonly Plan: { readonly 'Plan Rows': number } }[]
    | undefined;
  const estimate = plans?.[0]?.Plan['Plan Rows'];
  if (typeof estimate !== 'number')
    throw new Error('PostgreSQL explained a statement without a number of rows');
  return estimate;
}
