import { escapeIdentifier } from 'pg';
import type { LoadColumn, LoadTarget } from './load-target.ts';

/** The name of the temporary table. One load at a time works on a connection, and drops it at its end. */
export const stagingTable = 'synth_lab_data_load';

/** The temporary table that rows are copied to first, and how the statements of a load name things. */
export class Staging {
  /** The table that is loaded into. */
  readonly into: string;
  readonly table = `pg_temp.${stagingTable}`;
  /** Holds a row's number. */
  readonly row: string;
  /** Holds the number of a row's shape. */
  readonly shape: string;
  readonly #target: LoadTarget;

  constructor(target: LoadTarget) {
    this.#target = target;
    this.into = [...(target.schema === null ? [] : [target.schema]), target.table]
      .map(escapeIdentifier)
      .join('.');
    this.row = this.#unusedName('row');
    this.shape = this.#unusedName('shape');
  }

  /** Goes with the transaction, or at the end of the load. The target's rules hold in it, so that COPY tells which row breaks one. */
  create(): string {
    return `create temporary table ${this.table} (like ${this.into} including defaults including constraints, ${this.row} integer, ${this.shape} integer) on commit drop`;
  }

  /** Lets rows leave out what only they need that are inserted. */
  allowNulls(key: readonly LoadColumn[]): string[] {
    const dropped = this.#target.columns
      .filter((column) => !column.nullable && !key.includes(column))
      .map((column) => `alter column ${escapeIdentifier(column.name)} drop not null`);
    return dropped.length === 0 ? [] : [`alter table ${this.table} ${dropped.join(', ')}`];
  }

  drop(): string {
    return `drop table ${this.table}`;
  }

  copy(): string {
    return `copy ${this.table} (${[...this.columns(), this.row, this.shape].join(', ')}) from stdin (format binary)`;
  }

  /** COPY straight into the target. */
  append(): string {
    return `copy ${this.into} (${this.columns().join(', ')}) from stdin (format binary)`;
  }

  /** Finds the first two rows of a key that several have. */
  duplicate(key: readonly LoadColumn[]): string {
    return `select min(${this.row}) as first, max(${this.row}) as last from ${this.table} group by ${list(key)} having count(*) > 1 order by min(${this.row}) limit 1`;
  }

  /** The rows, or only the last one of each key. */
  rows(key: readonly LoadColumn[], which: 'all' | 'last'): string {
    if (which === 'all') return this.table;
    return `(select distinct on (${list(key)}) * from ${this.table} order by ${list(key)}, ${this.row} desc)`;
  }

  /** The columns of the target, by name. */
  columns(): string[] {
    return this.#target.columns.map(({ name }) => escapeIdentifier(name));
  }

  #unusedName(name: string): string {
    const taken = this.#target.columns.some((column) => column.name === name);
    return taken ? this.#unusedName(`${name}_`) : escapeIdentifier(name);
  }
}

/** The columns, separated by commas; `of` a table or its alias. */
export function list(columns: readonly LoadColumn[], of?: string): string {
  return columns.map((column) => named(column, of)).join(', ');
}

/** A column, `of` a table or its alias. */
export function named({ name }: LoadColumn, of?: string): string {
  return of === undefined ? escapeIdentifier(name) : `${of}.${escapeIdentifier(name)}`;
}

/** Whether two tables have the same values in `columns`. */
export function same(columns: readonly LoadColumn[], one: string, other: string): string {
  return columns.map((column) => `${named(column, one)} = ${named(column, other)}`).join(' and ');
}
