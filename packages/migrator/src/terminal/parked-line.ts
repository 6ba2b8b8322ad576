import { stripVTControlCharacters } from 'node:util';
import type { ParkedObject } from '../parking/parked-objects.ts';
import { minuteOf } from './output.ts';

/** Returns a line on a parked column or table. */
export function parkedLine({ table, column, since }: ParkedObject): string {
  const name = stripVTControlCharacters(column === null ? `table ${table}` : `column ${column} of ${table}`);
  return `${name}, parked since ${minuteOf(since)}`;
}
