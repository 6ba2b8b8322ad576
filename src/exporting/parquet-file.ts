import type { EntityManager } from '@mikro-orm/postgresql';
import type { SchemaElement } from 'hyparquet';
import type { LoadColumn, LoadTarget } from '../loading/load/load-target.ts';
import { readBinaryRows, type ReadValue } from '../postgres/copy/binary-reader.ts';
import type { BinaryType } from '../postgres/copy/binary-rows.ts';
import { copyOut } from '../postgres/copy/copy-out.ts';
import { microseconds64 } from '../wire/instant.ts';
import { selectAll } from '../loading/load/column-sql.ts';

// A row group is in memory until it is written.
const groupRows = 5_000;
const groupBytes = 4 * 2 ** 20;

const elements: Readonly<Record<BinaryType, Partial<SchemaElement>>> = {
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  integer: { type: 'INT32' },
  'double precision': { type: 'DOUBLE' },
  timestamptz: {
    type: 'INT64',
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  },
  // As JSON, the library would format documents again, with the digits of JavaScript's numbers; without its older mark, DuckDB reads bytes.
  jsonb: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
};

/** Yields the rows of a table as a Parquet file. Returns their number. */
export async function* parquetFile(
  em: EntityManager,
  target: LoadTarget,
): AsyncGenerator<Uint8Array, number> {
  const { ByteWriter, ParquetWriter } = await import('hyparquet-writer');
  const { columns } = target;
  const writer = new ByteWriter();
  const file = new ParquetWriter({ writer, schema: schemaOf(columns), createdBy: 'synth-lab-data' });
  const taken = (): Uint8Array => {
    const bytes = writer.getBytes().slice();
    writer.index = 0;
    return bytes;
  };
  const rows = readBinaryRows(
    copyOut(em, `copy (${selectAll(target)}) to stdout (format binary)`),
    columns.map(({ type }) => type),
  );
  let group = new RowGroup(columns);
  try {
    for (;;) {
      const { done, value } = await rows.next();
      if (!done) group.add(value);
      if (done ? group.rows > 0 : group.isFull) {
        await file.write({ columnData: group.columnData(), rowGroupSize: groupRows });
        group = new RowGroup(columns);
        yield taken();
      }
      if (!done) continue;
      await file.finish();
      yield taken();
      return value;
    }
  } finally {
    await rows.return(0);
  }
}

/** Rows that are written together, by columns. */
class RowGroup {
  rows = 0;
  readonly #columns: readonly LoadColumn[];
  readonly #values: readonly ReadValue[][];
  #bytes = 0;

  constructor(columns: readonly LoadColumn[]) {
    this.#columns = columns;
    this.#values = columns.map(() => []);
  }

  get isFull(): boolean {
    return this.rows >= groupRows || this.#bytes >= groupBytes;
  }

  add(row: readonly ReadValue[]): void {
    this.rows += 1;
    for (const [index, value] of row.entries()) {
      this.#values[index]?.push(typeof value === 'bigint' ? this.#time(value, index) : value);
      this.#bytes += typeof value === 'object' && value !== null ? value.length : String(value).length;
    }
  }

  #time(microseconds: bigint, index: number): bigint {
    const found = microseconds64(microseconds);
    if (found !== undefined) return found;
    throw new Error(
      `${this.#columns[index]?.property} holds a time after the year 294246, which Parquet can't hold: export CSV or JSON lines`,
    );
  }

  columnData() {
    return this.#columns.map(({ property, type }, index) => ({
      name: property,
      data: [...(this.#values[index] ?? [])],
      // A dictionary of documents saves nothing, hardly two are the same, and no query looks for the least one.
      ...(type === 'jsonb' && { encoding: 'PLAIN' as const, statistics: false }),
    }));
  }
}

function schemaOf(columns: readonly LoadColumn[]): SchemaElement[] {
  return [
    { name: 'root', num_children: columns.length },
    ...columns.map(({ property, type, nullable }): SchemaElement => ({
      name: property,
      repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
      ...elements[type],
    })),
  ];
}
