import { ConversionError } from '../../loading/load/conversion-error.ts';
import type { SourceTimeZone } from '../../legacy-import/conversion/source-time-zone.ts';
import { textOfMicroseconds, readInstant } from '../../wire/instant.ts';
import { guessDateFormat, type DateFormat } from './date-format.ts';

/** How the cells of a spreadsheet are written, where that differs from PostgreSQL's CSV. */
export interface CellForms {
  /** Whether a comma, and not a point, is before the fraction of a number: `1.234,5`. */
  readonly decimalComma: boolean;
  /** The form of dates and times that are not ISO 8601. */
  readonly dateFormat: DateFormat | undefined;
  /** The zone of times without one. */
  readonly zone: SourceTimeZone | undefined;
  /** Texts that mean no value. */
  readonly nulls: ReadonlySet<string>;
}

const commaNumber = /^([+-]?)(\d{1,3}(?:[. \u00A0\u202F]\d{3})+|\d+)?(?:,(\d+))?$/;
const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const isoDate = /^\d{4}-\d\d-\d\d$/;
// What programs write where a value is missing, or could not be computed.
const markers: ReadonlySet<string> = new Set([
  '#N/A',
  '#NV',
  '#VALUE!',
  '#REF!',
  '#DIV/0!',
  '#NAME?',
  '#NUM!',
  '#NULL!',
  'N/A',
  'NA',
  'NULL',
  'null',
  'None',
  'NaN',
  'nan',
  '-',
]);

/** Reads the texts of cells as they are meant. */
export class CellReader {
  readonly #forms: CellForms;

  constructor(forms: CellForms) {
    this.#forms = forms;
  }

  /** Whether a text means no value. */
  isNull(text: string): boolean {
    return this.#forms.nulls.has(text);
  }

  /**
   * Returns the number of a text with a decimal point; other text unchanged.
   *
   * @throws ConversionError for text that needs an option.
   */
  number(text: string): string {
    const plain = text.trim();
    checkMarker(plain);
    const parts = commaNumber.exec(plain);
    if (!this.#forms.decimalComma) {
      if (parts?.[3] !== undefined)
        throw new ConversionError('looks like a number with a decimal comma: give --decimal-comma');
      return plain;
    }
    const [, sign = '', whole = '', fraction] = parts ?? [];
    if (!parts || (whole === '' && fraction === undefined)) return text;
    const digits = whole.replaceAll(/\D/g, '');
    return `${sign}${digits === '' ? '0' : digits}${fraction === undefined ? '' : `.${fraction}`}`;
  }

  /**
   * Returns a time in ISO 8601 with a zone; text in none of the forms unchanged.
   *
   * @throws ConversionError for text that needs an option, or a time that does not exist in the zone.
   */
  time(text: string): string {
    const plain = text.trim();
    checkMarker(plain);
    if (typeof readInstant(plain) === 'bigint') return plain;
    const { dateFormat } = this.#forms;
    const wall = dateFormat?.read(plain);
    if (wall != null) return this.#inZone(BigInt(wall) * 1_000n);
    const local = readInstant(isoDate.test(plain) ? `${plain}T00:00Z` : `${plain}Z`);
    if (typeof local === 'bigint') return this.#inZone(local);
    const looks = guessDateFormat(plain);
    if (looks !== null) throw new ConversionError(`looks like a date: give --date-format '${looks}'`);
    if (dateFormat) throw new ConversionError(`is neither an ISO time nor of the form ${dateFormat.text}`);
    return text;
  }

  /**
   * Returns a number or a time as `number` and `time`; a date or time without a zone unchanged, unless one is given.
   *
   * @throws ConversionError as `number` and `time`.
   */
  order(text: string): string {
    const plain = text.trim();
    const number = this.number(plain);
    if (decimal.test(number)) return number;
    if (this.#forms.zone) return this.time(plain);
    const wall = this.#forms.dateFormat?.read(plain);
    if (wall != null) return new Date(wall).toISOString().slice(0, -1);
    const looks = isoDate.test(plain) ? null : guessDateFormat(plain);
    if (looks !== null) throw new ConversionError(`looks like a date: give --date-format '${looks}'`);
    return plain;
  }

  #inZone(wall: bigint): string {
    const { zone } = this.#forms;
    if (!zone)
      throw new ConversionError('has no time zone: give --time-zone, such as America/Sao_Paulo or UTC');
    const offset = zone.offsetAt(Number(wall / 1_000n));
    if (offset === 'skipped')
      throw new ConversionError(`does not exist in ${zone.name}: a clock change skipped it`);
    if (offset === 'repeated')
      throw new ConversionError(`is ambiguous in ${zone.name}: a clock change repeated it`);
    return textOfMicroseconds(wall - BigInt(offset) * 1_000n);
  }
}

function checkMarker(text: string): void {
  if (markers.has(text))
    throw new ConversionError(`is "${text}": give --null '${text}' if that means no value`);
}
