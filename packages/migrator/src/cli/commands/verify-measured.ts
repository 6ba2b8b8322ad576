import type { MeasuredStatement, Measurement } from '../../measure/measurement.ts';
import { table, wrapLine } from '../../terminal/output.ts';
import { milliseconds, oneLine, rowsText } from '../../terminal/quantities.ts';
import type { Certificate } from '../../verify/certificate.ts';

/** Returns the lines that describe what was measured of migrations; none where nothing was. */
export function measuredLines(certificates: readonly Certificate[]): string[] {
  return certificates.flatMap(({ migration, measured }) =>
    measured ? ['', ...linesOf(migration, measured)] : [],
  );
}

function linesOf(migration: string, { rows, tables, statements, failures }: Measurement): string[] {
  const short = tables.filter(({ reason }) => reason !== null);
  return [
    `${migration}, with ${rowsText(rows)} in each table that it touches`,
    ...(statements.length === 0 ? [] : [statementTable(statements)]),
    ...short.map(({ table: name, rows: count, reason }) =>
      wrapLine(`  ${name} has ${rowsText(count)}: ${reason}`),
    ),
    ...failures.map((text) => wrapLine(`  not measured: ${text}`)),
  ];
}

const heading = ['', 'statement', 'took', 'lock', 'held', 'reader', 'writer'];
const width = 80;
// What is left of a statement at least, where names of tables are long.
const shortest = 12;

/** One row for each lock of a statement, or for the statement alone, in 80 columns unless names are long. */
function statementTable(statements: readonly MeasuredStatement[]): string {
  const rows = statements.flatMap(({ direction, statement, sql, durationMs, locks }) => {
    const name = [`${direction} ${statement}`, sql, milliseconds(durationMs)];
    if (locks.length === 0) return [[...name, '', '', '', '']];
    return locks.map(({ table: locked, lock, heldMs, readerStallMs, writerStallMs }, index) => [
      ...(index === 0 ? name : ['', '', '']),
      `${lock.replace(/Lock$/, '')} ${locked}`,
      milliseconds(heldMs),
      readerStallMs === null ? '-' : milliseconds(readerStallMs),
      writerStallMs === null ? '-' : milliseconds(writerStallMs),
    ]);
  });
  const others = heading.map((title, column) =>
    column === 1 ? 0 : Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const room = width - others.reduce((sum, one) => sum + one + 2, -2);
  return table(
    heading,
    rows.map((row) => row.with(1, oneLine(row[1] ?? '', Math.max(room, shortest)))),
  );
}
