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
import { decodeCursor, encodeCursor, type Place } from './cursor.ts';
import type { AnyReadModel, ReadModel } from './read-model.ts';
import { selectionOf, shownPart, shownRow } from './selection.ts';
import type { Row, Shape } from './shape.ts';
import { patternOf, statementOf } from './statements.ts';
import { factsOf } from './table-facts.ts';

/** From this offset on, a page finds the keys of its rows first. */
const deepOffset = 1_000;
const streamedAtOnce = 500;

/** Answers questions about a read model in one unit of work, each by one statement. What was changed so far is flushed first. */
export class ReadModelReader<Shown, Given extends object, SortKey extends string> {
  readonly #em: EntityManager;
  readonly #model: ReadModel<Shown, Given, SortKey>;

  constructor(em: EntityManager, model: ReadModel<Shown, Given, SortKey>) {
    this.#em = em;
    this.#model = model;
  }

  /** Returns the row with this key; null if none exists, or a filter excludes it. */
  async find(key: string, given: Partial<Given> = {}): Promise<Shown | null> {
    const [row] = await this.#read({ kind: 'key', given }, { ...given, $key: key });
    return row ? this.#show(row) : null;
  }

  /** @throws NotFoundError if it does not exist, or a filter excludes it. */
  async get(key: string, given: Partial<Given> = {}): Promise<Shown> {
    const found = await this.find(key, given);
    if (found === null) throw new NotFoundError(factsOf(this.#em, this.#model.from).entity, key);
    return found;
  }

  /** Returns the first row of a list; null when it has none. */
  async first(given: Given, sortBy: SortKey = this.#model.sortKeys[0]): Promise<Shown | null> {
    const shape = { kind: 'list', given, sortBy, limited: true } as const;
    const [row] = await this.#read(shape, { ...given, $limit: 1 });
    return row ? this.#show(row) : null;
  }

  /** Returns every row of a list. */
  async list(given: Given, sortBy: SortKey = this.#model.sortKeys[0]): Promise<Shown[]> {
    const rows = await this.#read({ kind: 'list', given, sortBy }, given);
    return rows.map((row) => this.#show(row));
  }

  /** Yields every row of a list, read in portions while they are consumed. */
  async *stream(given: Given, sortBy: SortKey = this.#model.sortKeys[0]): AsyncGenerator<Shown> {
    await this.#em.flush();
    const db = this.#em.getKysely<Tables>();
    const query = statementOf(this.#model, this.#em, db, { kind: 'list', given, sortBy }, given);
    for await (const { rows } of db.getExecutor().stream<Row>(query, streamedAtOnce)) {
      for (const row of rows) yield this.#show(row);
    }
  }

  async count(given: Given): Promise<number> {
    const [row] = await this.#read({ kind: 'count', given }, given);
    return Number(row?.['$total']);
  }

  /** @throws InvalidPageError; NotFoundError when the parent of the rows is missing. */
  async page(request: PageRequest<SortKey> & Given): Promise<Page<Shown>> {
    const { limit, offset, sortBy, sortOrder } = checkedPage(
      request,
      this.#model.sortKeys,
      this.#model.direction,
    );
    const deep = offset >= deepOffset;
    const rows = await this.#read(
      { kind: 'page', given: request, sortBy, direction: sortOrder, deep },
      { ...request, $limit: limit, $offset: offset },
    );
    const [first] = rows;
    if (!first) throw this.#withoutParent(request);
    const total = Number(first['$total']);
    const data = presentIn(rows).map((row) => this.#showPart(row));
    return { data, pagination: { total, limit, offset, hasNext: offset + data.length < total } };
  }

  /** @throws InvalidPageError; NotFoundError when the parent of the rows is missing. */
  async scroll(request: CursorRequest<SortKey> & Given): Promise<CursorPage<Shown>> {
    const [rows, toPage] = await this.#scroll(request);
    if (rows.length === 0 && this.#model.parent) throw this.#withoutParent(request);
    return toPage(rows);
  }

  /** Returns a cursor page together with the row of another read model that has this key; null when there is no such row. */
  async scrollWith<Head>(
    head: ReadModel<Head, object, string>,
    key: string,
    request: CursorRequest<SortKey> & Given,
  ): Promise<readonly [head: Head, page: CursorPage<Shown>] | null> {
    const [rows, toPage] = await this.#scroll(request, head, key);
    const [first] = rows;
    if (!first) return null;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the model shows
    return [shownPart(head, this.#em, first, '$') as Head, toPage(rows)];
  }

  /** Returns the rows of a statement that selects `columns` from a source under the table's name. */
  async query(write: (columns: Expression<Row>) => RawBuilder<Row>): Promise<Shown[]> {
    await this.#em.flush();
    const { rows } = await write(selectionOf(this.#model, this.#em)).execute(this.#em.getKysely<Tables>());
    return rows.map((row) => this.#show(row));
  }

  async #scroll(request: CursorRequest<SortKey> & Given, head?: AnyReadModel, key?: string) {
    const { sortBy, sortOrder } = checkedPage(
      { sortBy: request.sortBy, sortOrder: request.sortOrder },
      this.#model.sortKeys,
      this.#model.direction,
    );
    const first = checkedFirst(request.first);
    const list = this.#nameOf(request, sortBy, sortOrder);
    const cursor = checkedCursor(request.after);
    const place = cursor === null ? undefined : decodeCursor(list, cursor);
    const after = place && (place.at === null ? 'null' : 'value');
    const rows = await this.#read(
      { kind: 'scroll', given: request, sortBy, direction: sortOrder, after, head },
      { ...request, $limit: first + 1, $at: place?.at, $tie: place?.tie, $head: key },
    );
    const toPage = (read: readonly Row[]): CursorPage<Shown> => {
      const found = presentIn(read);
      const shown = found.slice(0, first);
      const last = shown.at(-1);
      const endCursor = last ? encodeCursor(list, this.#placeIn(last, sortBy)) : null;
      const pagination = { endCursor, hasNextPage: found.length > first };
      return { data: shown.map((row) => this.#showPart(row)), pagination };
    };
    return [rows, toPage] as const;
  }

  /** Identifies a list in its cursors by names and values, which outlive a deployment. */
  #nameOf(given: object, sortBy: string, direction: string): string {
    const pattern = patternOf(this.#model, given, true);
    const filters = this.#model.filters.map(([name], index) =>
      pattern[index] === '=' ? [Reflect.get(given, name)] : pattern[index],
    );
    return JSON.stringify([this.#model.from, sortBy, direction, ...filters]);
  }

  #placeIn(row: Row, sortBy: string): Place {
    const { exact, key } = factsOf(this.#em, this.#model.from);
    const text = (value: unknown, column: string): string =>
      exact.get(column)?.text(String(value)) ?? String(value);
    const sort = this.#model.sorts[sortBy];
    const tie = this.#model.tie ?? key;
    const at = row['$at'];
    return {
      at: at === null || typeof sort !== 'string' ? null : text(at, sort),
      tie: text(row['$tie'], tie),
    };
  }

  #withoutParent(given: object): NotFoundError {
    const { filter, table } = this.#model.parent ?? { filter: '', table: this.#model.from };
    return new NotFoundError(factsOf(this.#em, table).entity, Reflect.get(given, filter));
  }

  async #read(shape: Shape, values: object): Promise<Row[]> {
    await this.#em.flush();
    const db: Kysely<Tables> = this.#em.getKysely<Tables>();
    const query: CompiledQuery<Row> = statementOf(this.#model, this.#em, db, shape, values);
    return (await db.executeQuery(query)).rows;
  }

  #show(row: Row): Shown {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the model shows
    return shownRow(this.#model, this.#em, row) as Shown;
  }

  #showPart(row: Row): Shown {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the model shows
    return shownPart(this.#model, this.#em, row) as Shown;
  }
}

/** Those of the rows that are beside a head row, rather than the head row alone. */
function presentIn(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ $present: present }) => present !== null);
}
