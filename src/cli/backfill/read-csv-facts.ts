import { InvalidRowError } from '../../errors.ts';
import type { BackfillConfig } from '../../loading/index.ts';
import { ConversionError } from '../../loading/load/conversion-error.ts';
import { resolveConfig } from '../../loading/references/resolve-config.ts';
import { createOfflineOrm } from '../../postgres/orm/offline-orm.ts';
import type { CellReader } from '../rows/cell-reader.ts';
import { readCsvRecords, type CsvOptions } from '../rows/read-csv-rows.ts';

/** What the cells of a property are read as: numbers, times, an order, which is either, or documents. */
type Reading = 'number' | 'time' | 'order' | 'document';

/**
 * Returns the facts of a CSV. Cells of properties from which the configuration takes numbers or times are read as such; others are text.
 *
 * @throws InvalidBackfillError at once with every issue of the configuration.
 * @throws UsageError, InvalidRowError while they are read, as `readCsvRecords`, and for a cell that can't be read.
 */
export function readCsvFacts(
  text: AsyncIterable<string>,
  config: BackfillConfig,
  options: CsvOptions,
): AsyncIterable<object> {
  const readings = readingsOf(config);
  async function* facts(): AsyncGenerator<object> {
    let row = 0;
    for await (const record of readCsvRecords(text, options)) {
      row += 1;
      for (const [property, reading] of readings) {
        const cell = record[property];
        if (cell == null || cell.trim() === '') continue;
        // Only to notice members that it has twice: the backfill parses it.
        if (reading === 'document') options.json.notice(cell, { row, property });
        else record[property] = read(cell, reading, options.cells, { row, property });
      }
      yield record;
    }
  }
  return facts();
}

function readingsOf(config: BackfillConfig): ReadonlyMap<string, Reading> {
  const readings = new Map<string, Reading>();
  for (const { property, type, isOrder, isDocument } of resolveConfig(createOfflineOrm().em, config)
    .columns) {
    if (property === null) continue;
    if (isOrder) readings.set(property, 'order');
    else if (readings.has(property)) continue;
    else if (isDocument) readings.set(property, 'document');
    else if (type === 'timestamptz') readings.set(property, 'time');
    else if (type === 'integer' || type === 'double precision') readings.set(property, 'number');
  }
  return readings;
}

function read(
  cell: string,
  reading: Exclude<Reading, 'document'>,
  cells: CellReader,
  at: { row: number; property: string },
): string {
  try {
    if (reading === 'number') return cells.number(cell);
    return reading === 'time' ? cells.time(cell) : cells.order(cell);
  } catch (cause) {
    if (!(cause instanceof ConversionError)) throw cause;
    throw new InvalidRowError(at, cause.message, { cause });
  }
}
