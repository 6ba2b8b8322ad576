import { readTimestamp } from '../conversion/read-timestamp.ts';
import type { SourceValue } from './legacy-source.ts';

/** Returns a text by which times sort, only for choosing the newest: the zone of those without one is not known here, and is the same for all. */
export function sortableTime(value: SourceValue): string {
  if (typeof value !== 'string') return '';
  const text = /(?:Z|[+-]\d\d(?::?\d\d)?)$/.test(value.slice(10)) ? value : `${value}Z`;
  const reading = readTimestamp(text, { zone: undefined, fromSqlite: true });
  return 'text' in reading ? reading.text : '';
}
