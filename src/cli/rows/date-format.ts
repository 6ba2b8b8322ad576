import { ConversionError } from '../../loading/load/conversion-error.ts';
import { UsageError } from 'mikro-orm-safe-migrations/cli';

type Field = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'half';

/** A wall-clock time in milliseconds, as if it were UTC. */
type Wall = number;

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

// Longer tokens first.
const tokens: readonly (readonly [token: string, field: Field, pattern: string])[] = [
  ['YYYY', 'year', String.raw`\d{4}`],
  ['YY', 'year', String.raw`\d\d`],
  ['MMM', 'month', months.join('|')],
  ['MM', 'month', String.raw`\d{1,2}`],
  ['M', 'month', String.raw`\d{1,2}`],
  ['DD', 'day', String.raw`\d{1,2}`],
  ['D', 'day', String.raw`\d{1,2}`],
  ['HH', 'hour', String.raw`\d{1,2}`],
  ['H', 'hour', String.raw`\d{1,2}`],
  ['hh', 'hour', String.raw`\d{1,2}`],
  ['h', 'hour', String.raw`\d{1,2}`],
  ['mm', 'minute', String.raw`\d{2}`],
  ['ss', 'second', String.raw`\d{2}`],
  ['A', 'half', '[ap]m'],
];

/** A form in which people write dates and times, such as `DD/MM/YYYY HH:mm`. */
export class DateFormat {
  readonly text: string;
  readonly #pattern: RegExp;
  readonly #fields: readonly Field[];

  /** @throws UsageError when `text` has no year, month and day, or one of them twice. */
  constructor(text: string) {
    this.text = text;
    const fields: Field[] = [];
    let [pattern, rest] = ['', text];
    while (rest !== '') {
      const found = tokens.find(([token]) => rest.startsWith(token));
      if (found) fields.push(found[1]);
      pattern += found ? `(${found[2]})` : rest.charAt(0).replace(/[^\w\s]/, String.raw`\$&`);
      rest = rest.slice(found?.[0].length ?? 1);
    }
    const isWhole = (['year', 'month', 'day'] as const).every((field) => fields.includes(field));
    if (!isWhole || new Set(fields).size < fields.length) {
      throw new UsageError(
        `--date-format "${text}" must have year, month and day once each: YYYY or YY, MM or MMM (Jan), DD; and may have HH or hh, mm, ss, A (AM or PM)`,
      );
    }
    this.#pattern = new RegExp(`^${pattern}$`, 'i');
    this.#fields = fields;
  }

  /**
   * Returns the wall-clock time of `text`; midnight without an hour. Null when it is not of this form.
   *
   * @throws ConversionError when it is, and the calendar has no such time.
   */
  read(text: string): Wall | null {
    const parts = this.#pattern.exec(text);
    if (!parts) return null;
    const found: Partial<Record<Field, string>> = {};
    for (const [index, field] of this.#fields.entries()) found[field] = parts[index + 1] ?? '';
    const { year = '', month = '', day = '', hour = '0', minute = '0', second = '0', half } = found;
    const monthIndex = /\d/.test(month) ? Number(month) - 1 : months.indexOf(month.toLowerCase());
    const date = [fullYear(year), monthIndex, Number(day)] as const;
    const time = [hourOf(Number(hour), half), Number(minute), Number(second)] as const;
    const wall = new Date(0);
    wall.setUTCFullYear(...date);
    wall.setUTCHours(...time);
    const exists =
      wall.getUTCMonth() === date[1] &&
      wall.getUTCDate() === date[2] &&
      wall.getUTCHours() === time[0] &&
      wall.getUTCMinutes() === time[1] &&
      wall.getUTCSeconds() === time[2];
    if (!exists) throw new ConversionError(`is a time that does not exist, in the form ${this.text}`);
    return wall.getTime();
  }
}

// As POSIX does.
function fullYear(year: string): number {
  return year.length === 4 ? Number(year) : Number(year) + (Number(year) < 69 ? 2_000 : 1_900);
}

function hourOf(hour: number, half: string | undefined): number {
  if (half === undefined) return hour;
  // No hour of the clock.
  if (hour < 1 || hour > 12) return Number.NaN;
  return (hour % 12) + (half.toLowerCase() === 'pm' ? 12 : 0);
}

/** Returns the form of a text that is a date, but no ISO time, or both forms that it may have; null for other text. */
export function guessDateFormat(text: string): string | null {
  const time = / \d{1,2}:\d\d(:\d\d)?( [ap]m)?$/i.exec(text);
  const clock = time ? ` ${time[2] ? 'hh' : 'HH'}:mm${time[1] ? ':ss' : ''}${time[2] ? ' A' : ''}` : '';
  const date = time ? text.slice(0, -time[0].length) : text;
  const [, first = '', separator = '', second = '', year = ''] =
    /^(\d{1,2})([/.-])(\d{1,2})\2(\d{4}|\d\d)$/.exec(date) ?? [];
  if (separator !== '') {
    const form = (...names: string[]): string =>
      [...names, year.length === 4 ? 'YYYY' : 'YY'].join(separator) + clock;
    if (Number(first) > 12) return form('DD', 'MM');
    if (Number(second) > 12) return form('MM', 'DD');
    return `${form('DD', 'MM')}, or ${form('MM', 'DD')}`;
  }
  const [, between] = /^\d{4}([/.])\d{1,2}\1\d{1,2}$/.exec(date) ?? [];
  if (between !== undefined) return ['YYYY', 'MM', 'DD'].join(between) + clock;
  const [, dash] = /^\d{1,2}([ -])[a-z]{3}\1\d{4}$/i.exec(date) ?? [];
  return dash === undefined ? null : ['DD', 'MMM', 'YYYY'].join(dash) + clock;
}
