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

/** One row for each lock of a statement, or for the statement alone. */
function statementTable(statements: readonly MeasuredStatement[]): string {
  return table(
    ['', 'statement', 'took', 'lock', 'held', 'reader waits', 'writer waits'],
    statements.flatMap(({ direction, statement, sql, durationMs, locks }) => {
      const name = [`${direction} ${statement}`, oneLine(sql, 36), milliseconds(durationMs)];
      if (locks.length === 0) return [[...name, '', '', '', '']];
      return locks.map(({ table: locked, lock, heldMs, readerStallMs, writerStallMs }, index) => [
        ...(index === 0 ? name : ['', '', '']),
        `${lock.replace(/Lock$/, '')} ${locked}`,
        milliseconds(heldMs),
        readerStallMs === null ? '-' : milliseconds(readerStallMs),
        writerStallMs === null ? '-' : milliseconds(writerStallMs),
      ]);
    }),
  );
}
