import { escapeIdentifier } from 'pg';
import { columnList } from './column-sql.ts';
import type { LoadColumn, LoadTarget } from './load-target.ts';

/** The name of the temporary table. A connection runs one load at a time, which drops the table at its end. */
export const stagingTable = 'synth_lab_data_load';

/** The temporary table that rows are copied into first, with the SQL that creates, fills, reads and drops it. */
export class LoadStaging {
  /** The qualified, quoted name of the table that is loaded into. */
  readonly targetTable: string;
  readonly table = `pg_temp.${stagingTable}`;
  /** The column that holds a row's number. */
  readonly rowNumber: string;
  /** The column that holds the number of a row's shape: of the set of properties that it gives. */
  readonly shapeNumber: string;
  readonly #target: LoadTarget;

  constructor(target: LoadTarget) {
    this.#target = target;
    this.targetTable = [...(target.schema === null ? [] : [target.schema]), target.table]
      .map(escapeIdentifier)
      .join('.');
    this.rowNumber = this.#unusedName('row');
    this.shapeNumber = this.#unusedName('shape');
  }

  /**
   * Creates the table, which PostgreSQL drops with the transaction at the latest. It has the target's CHECK and NOT NULL constraints, so
   * that an error of COPY has the number of the row.
   */
  create(): string {
    return `create temporary table ${this.table} (like ${this.targetTable} including defaults including constraints, ${this.rowNumber} integer, ${this.shapeNumber} integer) on commit drop`;
  }

  /** Drops NOT NULL outside `key`, for modes that insert no row. */
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
    return `copy ${this.table} (${[...this.columns(), this.rowNumber, this.shapeNumber].join(', ')}) from stdin (format binary)`;
  }

  /** Copies straight into the target. */
  append(): string {
    return `copy ${this.targetTable} (${this.columns().join(', ')}) from stdin (format binary)`;
  }

  /** Selects the numbers of the first and the last row of the first key that several rows have. */
  duplicate(key: readonly LoadColumn[]): string {
    const row = this.rowNumber;
    return `select min(${row}) as first, max(${row}) as last from ${this.table} group by ${columnList(key)} having count(*) > 1 order by min(${row}) limit 1`;
  }

  /** Returns what to select the rows from: all of them, or the last row of each key. */
  rows(key: readonly LoadColumn[], which: 'all' | 'last'): string {
    if (which === 'all') return this.table;
    return `(select distinct on (${columnList(key)}) * from ${this.table} order by ${columnList(key)}, ${this.rowNumber} desc)`;
  }

  /** Returns the quoted names of the target's columns, in the order of the rows' values. */
  columns(): string[] {
    return this.#target.columns.map(({ name }) => escapeIdentifier(name));
  }

  #unusedName(name: string): string {
    const taken = this.#target.columns.some((column) => column.name === name);
    return taken ? this.#unusedName(`${name}_`) : escapeIdentifier(name);
  }
}
