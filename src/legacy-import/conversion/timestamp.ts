import type { SourceTimeZone } from './source-time-zone.ts';

/** A time as PostgreSQL is sent it: UTC, with six digits of a second. */
export type Reading = { readonly text: string } | { readonly problem: string };

const form =
  /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(?:(Z)|([+-])(\d\d)(?::?(\d\d)(?::?(\d\d))?)?)?$/;
const asSqliteWrites = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

export interface TimestampOptions {
  readonly zone: SourceTimeZone | undefined;
  /** Whether the source's own `datetime('now')` fills the column, which writes UTC and does not say so. */
  readonly filledBySource: boolean;
}

/**
 * Reads a time in any form that the old system wrote, with an offset or without one (`2025-03-01T12:00:00.000001+00:00`, the same
 * with `Z`, the same without, `2025-03-01 12:00:00`), and keeps its microseconds.
 */
export function readTimestamp(text: string, { zone, filledBySource }: TimestampOptions): Reading {
  const [, date, time, fraction = '', utc, sign, hours = '0', minutes = '0', seconds = '0'] =
    form.exec(text) ?? [];
  if (date === undefined || time === undefined) return { problem: 'is no time of a known form' };
  const wall = Date.parse(`${date}T${time}Z`);
  // A 30th of February would be taken for a day in March.
  if (Number.isNaN(wall) || !new Date(wall).toISOString().startsWith(`${date}T${time}`))
    return { problem: 'is no time of any calendar' };
  if (/[1-9]/.test(fraction.slice(6))) return { problem: 'has more digits of a second than microseconds' };
  const given =
    sign && (sign === '-' ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds));
  const offset = utc === undefined ? given : 0;
  if (typeof offset === 'number') return asText(wall - offset * 1_000, fraction);
  if (!zone) return { problem: 'has no time zone: say with --source-time-zone which one was meant' };
  if (filledBySource && asSqliteWrites.test(text)) return asText(wall, fraction);
  const found = zone.offsetAt(wall);
  if (found === 'skipped') return { problem: `is a time that ${zone.name} skipped when its clocks were set` };
  if (found === 'repeated')
    return { problem: `is a time that ${zone.name} had twice when its clocks were set` };
  return asText(wall - found, fraction);
}

function asText(instant: number, fraction: string): Reading {
  const iso = new Date(instant).toISOString();
  if (!/^(?!0000)\d{4}-/.test(iso)) return { problem: 'is outside the years 1 to 9999' };
  return { text: `${iso.slice(0, 19)}.${fraction.slice(0, 6).padEnd(6, '0')}Z` };
}
