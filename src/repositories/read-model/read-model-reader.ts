import type { EntityManager, Kysely } from '@mikro-orm/postgresql';
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
} from './page.ts';
import { boundStatement } from './compiled-statements.ts';
import { filterStates } from './conditions.ts';
import { decodeCursor, encodeCursor, type CursorPosition } from './cursor.ts';
import type { ReadModel } from './read-model.ts';
import { resolveModel, type ResolvedModel } from './resolved-model.ts';
import type { Row } from './row.ts';
import type { StatementSpec } from './statement-spec.ts';

/** From this offset on, an offset page finds the keys of its rows first. */
const keysFirstOffset = 1_000;
const streamChunkSize = 500;

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

  /** Yields every row of a list, read in chunks as they are consumed. */
  async *stream(filters: FilterValues, sortBy: SortKey = this.#model.sortKeys[0]): AsyncGenerator<Shown> {
    await this.#em.flush();
    const db = this.#em.getKysely<Tables>();
    const spec = { kind: 'list', filterValues: filters, sortBy } as const;
    const query = boundStatement(this.#resolved, db, spec, filters);
    for await (const { rows } of db.getExecutor().stream<Row>(query, streamChunkSize)) {
      for (const row of rows) yield this.#show(row);
    }
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
  async page(request: PageRequest<SortKey> & FilterValues): Promise<Page<Shown>> {
    const { limit, offset, sortBy, sortOrder } = checkedPage(
      request,
      this.#model.sortKeys,
      this.#model.direction,
    );
    const keysFirst = offset >= keysFirstOffset;
    const rows = await this.#read(
      { kind: 'page', filterValues: request, sortBy, direction: sortOrder, keysFirst },
      { ...request, $limit: limit, $offset: offset },
    );
    const [first] = rows;
    if (!first) throw this.#parentNotFound(request);
    const total = Number(first['$total']);
    const data = pageRows(rows).map((row) => this.#showPart(row));
    return { data, pagination: { total, limit, offset, hasNext: offset + data.length < total } };
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
    const db: Kysely<Tables> = this.#em.getKysely<Tables>();
    const query: CompiledQuery<Row> = boundStatement(this.#resolved, db, spec, values);
    return (await db.executeQuery(query)).rows;
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
