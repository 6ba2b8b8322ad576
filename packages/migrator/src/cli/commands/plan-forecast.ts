import type { Forecast, ForecastTable } from '../../forecast/forecast.ts';
import { bytesText, milliseconds, rowsText } from '../../terminal/quantities.ts';

/** Returns the lines of a forecast, as comments of SQL. */
export function forecastComments({ durationMs, statements, tables, unknown }: Forecast): string[] {
  if (durationMs === null) return [`-- Forecast: unknown, because ${unknown}`];
  const lines = statements.flatMap(({ statement, durationMs: time, locks }) => {
    const blocking = locks.filter(({ blocks }) => blocks !== 'nothing');
    const number = `--   statement ${statement}: ${milliseconds(time)}`;
    if (blocking.length === 0) return [number];
    return [
      number,
      ...blocking.map(
        ({ table, lock, blocks, heldMs }) =>
          `--     blocks ${blocks} of ${table} for ${milliseconds(heldMs)} (${lock})`,
      ),
    ];
  });
  return [`-- Forecast: ${milliseconds(durationMs)}`, ...tables.map(tableComment), ...lines];
}

function tableComment({ table, rows, bytes, hasStatistics, measuredRows }: ForecastTable): string {
  const size = `${hasStatistics ? '' : 'about '}${rowsText(rows)}, ${bytesText(bytes)}`;
  const without = hasStatistics ? '' : '; it has no statistics, run `analyze` for a better forecast';
  return `--   ${table}: ${size}; measured on ${measuredRows === rows ? 'as many generated ones' : `${rowsText(measuredRows)} that were generated`}${without}`;
}
