import type { EntityManager } from '@mikro-orm/postgresql';
import { sql, type Expression, type RawBuilder } from 'kysely';
import { builder } from './builder.ts';
import type { AnyReadModel } from './read-model.ts';
import type { Row } from './row.ts';
import { hexDigits, metadataOf, type ExactForm, type TableMetadata } from './table-metadata.ts';

type ExactProperty = readonly [property: string, column: string, form: ExactForm];

/** A read model with the ORM's metadata of its tables. */
export class ResolvedModel {
  readonly model: AnyReadModel;
  readonly table: TableMetadata;
  /** The parent whose row must exist, and the filter that has its key. */
  readonly parent: { readonly filter: string; readonly table: TableMetadata } | undefined;
  /** The column that orders rows with equal sort values. */
  readonly tieBreaker: string;
  /** The properties whose exact form can be null, each selected alone. */
  readonly #nullable: readonly ExactProperty[];
  /** The others. The first is selected with the digits of all, the rest as null: each value of an answer costs the client more than its bytes. */
  readonly #joined: readonly ExactProperty[];

  constructor(model: AnyReadModel, em: EntityManager) {
    this.model = model;
    this.table = metadataOf(em, model.from);
    this.parent = model.parent && {
      filter: model.parent.filter,
      table: metadataOf(em, model.parent.table),
    };
    this.tieBreaker = model.tieBreaker ?? this.table.key;
    const exact = Object.entries(model.select).flatMap(([property, column]) => {
      const form = typeof column === 'string' ? this.table.exact.get(column) : undefined;
      return typeof column === 'string' && form ? [[property, column, form] as const] : [];
    });
    this.#nullable = exact.filter(([, column]) => this.table.nullable.has(column));
    this.#joined = exact.filter(([, column]) => !this.table.nullable.has(column));
  }

  /** Returns a reference to a column. */
  column(name: string): RawBuilder<Row> {
    return sql.ref(`${this.table.name}.${name}`);
  }

  /** Returns a column in a form that no setting of the session changes. */
  exactColumn(name: string): RawBuilder<unknown> {
    const form = this.table.exact.get(name);
    return form ? this.#hexOf([[name, name, form]]) : this.column(name);
  }

  /** Returns the select list over a source that is named like the table: each property by its name, after `prefix`. */
  selection(prefix = ''): Expression<Row> {
    return sql.join(
      Object.entries(this.model.select).map(([property, column]) => {
        const value = typeof column === 'string' ? this.#selected(property, column) : column(builder);
        return sql`${value} as ${sql.id(prefix + property)}`;
      }),
    );
  }

  /** Returns the text of a column's value in a cursor. */
  cursorText(column: string, value: unknown): string {
    return this.table.exact.get(column)?.text(String(value)) ?? String(value);
  }

  /** Returns what is shown of a selected row. It changes the row: to copy each row takes as long as to read it. */
  show(row: Row): unknown {
    for (const [property, , form] of this.#nullable) {
      const hex = row[property];
      if (typeof hex === 'string') row[property] = form.value(hex);
    }
    const [first] = this.#joined;
    const digits = first && row[first[0]];
    if (typeof digits === 'string') {
      let start = 0;
      for (const [property, , form] of this.#joined) {
        row[property] = form.value(digits, start);
        start += hexDigits;
      }
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the row that it was declared for
    return this.model.map ? this.model.map(row as never) : row;
  }

  /** Returns what is shown of a row that has columns besides those of the selection, which are named with `prefix`. */
  showPart(row: Row, prefix = ''): unknown {
    const part: Row = {};
    for (const property in this.model.select) part[property] = row[prefix + property];
    return this.show(part);
  }

  #selected(property: string, column: string): RawBuilder<unknown> {
    const index = this.#joined.findIndex(([name]) => name === property);
    if (index < 0) return this.exactColumn(column);
    return index === 0 ? this.#hexOf(this.#joined) : sql`null`;
  }

  #hexOf(properties: readonly ExactProperty[]): RawBuilder<unknown> {
    const sent = properties.map(([, column, { send }]) => `${send}("${this.table.name}"."${column}")`);
    return sql.raw(`encode(${sent.join(' || ')}, 'hex')`);
  }
}

const resolved = new WeakMap<AnyReadModel, ResolvedModel>();

/** Returns the model with the ORM's metadata; resolved once. */
export function resolveModel(model: AnyReadModel, em: EntityManager): ResolvedModel {
  let found = resolved.get(model);
  if (!found) resolved.set(model, (found = new ResolvedModel(model, em)));
  return found;
}
