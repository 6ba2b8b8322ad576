import { sql, type Expression } from 'kysely';
import { conditionsOf } from './conditions.ts';
import { orderBy } from './order-by.ts';
import { Parameter } from './parameter.ts';
import type { ResolvedModel } from './resolved-model.ts';
import type { Sql } from './row.ts';
import type { StatementSpec } from './statement-spec.ts';

const nothing: Sql = sql``;
const limit: Sql = sql` limit ${new Parameter('$limit')}`;
const offset: Sql = sql` offset ${new Parameter('$offset')}`;

/** The rows that a statement finds: filters, order and limit. What is shown of them is selected from these rows only. */
export class RowSource {
  readonly table: Sql;
  readonly orderBy: Sql;
  readonly #model: ResolvedModel;
  readonly #spec: StatementSpec;
  readonly #conditions: readonly Expression<unknown>[];
  readonly #direction: 'asc' | 'desc';

  constructor(model: ResolvedModel, spec: StatementSpec, states: readonly string[]) {
    this.#model = model;
    this.#spec = spec;
    this.#conditions = conditionsOf(model.model, states, spec.collation ?? null);
    this.#direction = spec.direction ?? model.model.direction;
    this.table = sql.table(model.table.name);
    this.orderBy = orderBy(model, spec.sortBy ?? '', this.#direction);
  }

  /** Returns the `where` clause of the filters and of `more`; empty without any. */
  where(...more: readonly Expression<unknown>[]): Sql {
    const all = [...this.#conditions, ...more];
    return all.length === 0 ? nothing : sql` where ${sql.join(all, sql` and `)}`;
  }

  /** Returns the statement that counts the rows, as `$total`. */
  count(): Sql {
    return sql`select count(*) as "$total" from ${this.table}${this.where()}`;
  }

  /** Returns the statement that asks how many rows the planner expects. */
  estimate(): Sql {
    return sql`explain (format json) select from ${this.table}${this.where()}`;
  }

  /** Returns the end of a statement that lists the rows: from `from` on. */
  list(): Sql {
    return sql`${this.table}${this.where()}${this.orderBy}${this.#spec.limited ? limit : nothing}`;
  }

  /** Returns the query of an offset page. */
  page(): Sql {
    const { table, orderBy: order } = this;
    if (!this.#spec.keysFirst) {
      const { firstRows } = this.#spec;
      const part = firstRows === undefined ? sql`${limit}${offset}` : sql` limit ${sql.lit(firstRows)}`;
      return sql`select ${table}.* from ${table}${this.where()}${order}${part}`;
    }
    const key = this.#model.column(this.#model.table.key);
    const keys = sql`select ${key} from ${table}${this.where()}${order}${limit}${offset}`;
    return sql`select ${table}.* from ${table} where ${key} in (${keys})`;
  }

  /** Returns the query of a cursor page that is sorted by this column. */
  cursorPage(sort: string): Sql {
    const { after } = this.#spec;
    if (after === undefined) return this.#firstRows();
    if (after === 'null') return this.#firstRows(this.#isNull(sort), this.#afterTieBreaker());
    if (sort === this.#model.tieBreaker) return this.#firstRows(this.#afterTieBreaker());
    const values = this.#firstRows(this.#afterValue(sort));
    if (!this.#model.table.nullable.has(sort)) return values;
    // Two index scans: PostgreSQL can't use the index for one condition with `or`.
    const parts = sql`(${values}) union all (${this.#firstRows(this.#isNull(sort))})`;
    return sql`select ${this.table}.* from (${parts}) as ${this.table}${this.orderBy}${limit}`;
  }

  #firstRows(...more: readonly Sql[]): Sql {
    return sql`select ${this.table}.* from ${this.table}${this.where(...more)}${this.orderBy}${limit}`;
  }

  #isNull(sort: string): Sql {
    return sql`${this.#model.column(sort)} is null`;
  }

  #afterTieBreaker(): Sql {
    return sql`${this.#model.column(this.#model.tieBreaker)} ${this.#after()} ${new Parameter('$tie')}`;
  }

  #afterValue(sort: string): Sql {
    const columns = sql`(${this.#model.column(sort)}, ${this.#model.column(this.#model.tieBreaker)})`;
    return sql`${columns} ${this.#after()} (${new Parameter('$at')}, ${new Parameter('$tie')})`;
  }

  #after(): Sql {
    return sql.raw(this.#direction === 'asc' ? '>' : '<');
  }
}
