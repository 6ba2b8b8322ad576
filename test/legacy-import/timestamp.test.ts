import { expect, test } from 'vitest';
import { SettingsError } from '../../src/errors.ts';
import { SourceTimeZone } from '../../src/legacy-import/conversion/source-time-zone.ts';
import { readTimestamp } from '../../src/legacy-import/conversion/read-timestamp.ts';

const read = (text: string, zone?: string, fromSqlite = false): unknown =>
  Object.values(
    readTimestamp(text, { zone: zone === undefined ? undefined : new SourceTimeZone(zone), fromSqlite }),
  )[0];

test.for([
  ['2025-03-01T12:00:00.123456+00:00', '2025-03-01T12:00:00.123456Z'],
  ['2025-03-01T12:00:00+00:00', '2025-03-01T12:00:00.000000Z'],
  ['2025-03-01T12:00:00.5Z', '2025-03-01T12:00:00.500000Z'],
  ['2025-03-01 12:00:00.000001-03', '2025-03-01T15:00:00.000001Z'],
  ['2025-03-01T12:00:00+05:45', '2025-03-01T06:15:00.000000Z'],
  ['1960-01-01T00:00:00.000001Z', '1960-01-01T00:00:00.000001Z'],
] as const)('%s is %s', ([text, expected]) => {
  expect(read(text)).toBe(expected);
});

test.for([
  ['2025-03-01T12:00:00', 'America/Sao_Paulo', '2025-03-01T15:00:00.000000Z'],
  // Clocks were an hour ahead in that summer.
  ['2018-12-01 12:00:00.25', 'America/Sao_Paulo', '2018-12-01T14:00:00.250000Z'],
  ['2025-07-01T12:00:00', 'Europe/Berlin', '2025-07-01T10:00:00.000000Z'],
  ['2025-07-01T12:00:00', '-03:00', '2025-07-01T15:00:00.000000Z'],
] as const)('%s in %s is %s', ([text, zone, expected]) => {
  expect(read(text, zone)).toBe(expected);
});

test.for([
  ['2025-03-01 12:00:00', '2025-03-01T12:00:00.000000Z'],
  // Others than SQLite's own are of the zone.
  ['2025-03-01T12:00:00', '2025-03-01T15:00:00.000000Z'],
  ['2025-03-01 12:00:00.5', '2025-03-01T15:00:00.500000Z'],
] as const)('%s of a SQLite file is %s', ([text, expected]) => {
  expect(read(text, 'America/Sao_Paulo', true)).toBe(expected);
});

test('a time that SQLite wrote needs no zone', () => {
  expect(read('2025-03-30 02:30:00', undefined, true)).toBe('2025-03-30T02:30:00.000000Z');
});

test.for([
  ['2025-03-30T02:30:00', 'skipped'],
  ['2025-10-26T02:30:00', 'repeated'],
] as const)('%s, which a clock change skipped or repeated, is refused', ([text, says]) => {
  expect(read(text, 'Europe/Berlin')).toContain(says);
});

test.for([
  '',
  'now',
  '2025-02-30T00:00:00Z',
  '2025-13-01T00:00:00Z',
  '2025-01-01',
  '2025-01-01T24:00:00Z',
  '2025-01-01T00:00:60Z',
  '0000-01-01T00:00:00Z',
  '2025-01-01T00:00:00.1234567Z',
  '1735689600',
])('%j is not a time', (text) => {
  expect(readTimestamp(text, { zone: undefined, fromSqlite: true })).toHaveProperty('problem');
});

test('refuses an unknown time zone', () => {
  expect(() => new SourceTimeZone('Brasilia')).toThrow(SettingsError);
});
