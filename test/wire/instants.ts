/** Instants that are hard to carry, as PostgreSQL is told of them in SQL, and the `Date` that stands for each. */
export const instants = [
  ['2026-03-01 12:00:00.123456+00', '2026-03-01T12:00:00.123Z'],
  ['2026-03-01 12:00:00.123999+00', '2026-03-01T12:00:00.123Z'],
  // Before 1970 and before 2000, where microseconds count backwards.
  ['1969-12-31 23:59:59.999999+00', '1969-12-31T23:59:59.999Z'],
  ['1999-12-31 23:59:59.999999+00', '1999-12-31T23:59:59.999Z'],
  // Local mean times, whose offsets have seconds.
  ['1900-01-01 00:00:00+00', '1900-01-01T00:00:00.000Z'],
  ['1582-10-10 00:00:00+00', '1582-10-10T00:00:00.000Z'],
  ['0050-06-15 00:00:00.000001+00', '0050-06-15T00:00:00.000Z'],
  ['0001-01-01 00:00:00+00', '0001-01-01T00:00:00.000Z'],
  ['0001-12-31 23:59:59.999999+00 BC', '0000-12-31T23:59:59.999Z'],
  ['0044-03-15 12:00:00+00 BC', '-000043-03-15T12:00:00.000Z'],
  ['4713-01-01 00:00:00+00 BC', '-004712-01-01T00:00:00.000Z'],
  ['9999-12-31 23:59:59.999999+00', '9999-12-31T23:59:59.999Z'],
  ['10000-01-01 00:00:00+00', '+010000-01-01T00:00:00.000Z'],
  ['123456-07-08 09:10:11.121314+00', '+123456-07-08T09:10:11.121Z'],
  // Skipped and repeated hours of New York and Berlin.
  ['2026-03-08 07:30:00+00', '2026-03-08T07:30:00.000Z'],
  ['2026-11-01 06:30:00+00', '2026-11-01T06:30:00.000Z'],
  ['2026-10-25 01:30:00+00', '2026-10-25T01:30:00.000Z'],
  // Beyond every Date: the nearest one.
  ['294276-12-31 23:59:59.999999+00', '+275760-09-13T00:00:00.000Z'],
  ['275761-01-01 00:00:00+00', '+275760-09-13T00:00:00.000Z'],
  ['infinity', '+275760-09-13T00:00:00.000Z'],
  ['-infinity', '-271821-04-20T00:00:00.000Z'],
] as const;

const zones = ['UTC', 'America/Sao_Paulo', 'America/New_York', 'Asia/Kolkata'];
const dateStyles = ['ISO, MDY', 'SQL, DMY', 'German, DMY', 'Postgres, MDY'];
const others = [
  { intervalstyle: 'postgres', extra_float_digits: '1', bytea_output: 'hex' },
  { intervalstyle: 'iso_8601', extra_float_digits: '0', bytea_output: 'escape' },
  { intervalstyle: 'sql_standard', extra_float_digits: '-15', bytea_output: 'escape' },
];

/** Settings that change the text of values: every zone with every style of dates, and the others in turn. */
export const sessions: readonly Readonly<Record<string, string>>[] = zones.flatMap((timezone, zone) =>
  dateStyles.map((datestyle, style) => ({
    timezone,
    datestyle,
    ...others[(zone + style) % others.length],
    lc_time: 'C',
    lc_numeric: 'C',
    lc_monetary: 'C',
  })),
);
