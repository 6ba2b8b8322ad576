import type { SourceTimeZone } from './source-time-zone.ts';

/**
 * How a time is written: with an offset or `Z`; as SQLite's `datetime('now')` writes UTC (`2025-03-01 12:00:00`); or without a zone otherwise.
 */
export type TimeForm = 'with_offset' | 'sqlite_now' | 'without_zone';

/** A time in UTC with six fractional digits and its form, or why it can't be read. */
export type TimestampResult =
  | { readonly text: string; readonly form: TimeForm }
  | { readonly problem: string; readonly remedy?: '--source-time-zone' };

const knownForm =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?$/;
const asSqliteNow = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

/** How times without a time zone are read. */
export interface TimestampOptions {
  readonly zone: SourceTimeZone | undefined;
  /** Whether SQLite wrote times, too: by `datetime('now')`, in statements and as a default. The old system itself wrote a `T`. */
  readonly fromSqlite: boolean;
}

/**
 * Reads a time in any format of the old system, with its microseconds: with an offset, with `Z`, or without a time zone
 * (`2025-03-01T12:00:00.000001+00:00`, `2025-03-01 12:00:00`).
 */
export function readTimestamp(text: string, { zone, fromSqlite }: TimestampOptions): TimestampResult {
  const [, date, time, fraction = '', utc, sign, hours = '0', minutes = '0', seconds = '0'] =
    knownForm.exec(text) ?? [];
  if (date === undefined || time === undefined) return { problem: 'is not a time in a known format' };
  const wall = Date.parse(`${date}T${time}Z`);
  // `Date.parse` turns the 30th of February into a day in March.
  if (Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(`${date}T${time}`))
    return { problem: 'is not a date of the calendar' };
  if (/[1-9]/.test(fraction.slice(6))) return { problem: 'has more than six fractional digits' };
  const given =
    sign && (sign === '-' ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
  const offset = utc === undefined ? given : 0;
  if (typeof offset === 'number') return asText(wall - offset * 1_000, fraction, 'with_offset');
  if (fromSqlite && asSqliteNow.test(text)) return asText(wall, fraction, 'sqlite_now');
  if (!zone) return { problem: 'has no time zone; set --source-time-zone', remedy: '--source-time-zone' };
  const found = zone.offsetAt(wall);
  if (found === 'skipped') return { problem: `does not exist in ${zone.name}: a clock change skipped it` };
  if (found === 'repeated') return { problem: `is ambiguous in ${zone.name}: a clock change repeated it` };
  return asText(wall - found, fraction, 'without_zone');
}

function asText(instant: number, fraction: string, form: TimeForm): TimestampResult {
  const iso = new Date(instant).toISOString();
  if (!/^(?!0000)\d{4}-/.test(iso)) return { problem: 'is outside the years 1 to 9999' };
  return { text: `${iso.slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z`, form };
}
