import { InvalidArgumentError, Option, type Command } from 'commander';
import { UsageError } from 'mikro-orm-safe-migrations/cli';
import { SourceTimeZone } from '../../legacy-import/conversion/source-time-zone.ts';
import { CellReader } from './cell-reader.ts';
import { DateFormat } from './date-format.ts';
import { decoderOf } from './decode-text.ts';
import { JsonReader } from './json-reader.ts';
import type { CsvOptions } from './read-csv-rows.ts';
import { formats, type Format } from './source.ts';

/** The options of commands that read a file of rows. */
export interface FileOptions {
  readonly format?: Format;
  readonly encoding?: string;
  readonly delimiter?: string;
  readonly headerLine: number;
  readonly columns?: ReadonlyMap<string, string>;
  readonly null?: readonly string[];
  readonly decimalComma?: boolean;
  readonly dateFormat?: string;
  readonly timeZone?: string;
  readonly strict?: boolean;
}

/** Adds the options of `FileOptions` to a command. */
export function addFileOptions(command: Command): Command {
  return command
    .addOption(new Option('--format <format>', 'default: the extension of the file').choices(formats))
    .option(
      '--encoding <name>',
      'such as windows-1252 or utf-16le; default: by the byte order mark, else utf-8',
    )
    .option(
      '--delimiter <character>',
      String.raw`such as ";" or "\t"; default: found out from the header`,
      character,
    )
    .option('--header-line <number>', 'the line of the header, where titles stand above it', line, 1)
    .option(
      '--columns <renames>',
      'names of columns, by those in the header: "Nome=name,Grupo=group"; "Notes=" leaves one out',
      renames,
    )
    .option(
      '--null <text>',
      'a text that means no value, such as "#N/A"; may be repeated',
      (text, before: string[] | undefined) => [...(before ?? []), text],
    )
    .option('--decimal-comma', 'numbers are written as 1.234,5')
    .option('--date-format <form>', 'how dates and times are written that are not ISO: "DD/MM/YYYY HH:mm"')
    .option(
      '--time-zone <zone>',
      'zone of times without one, such as America/Sao_Paulo or UTC; default: they are refused',
    )
    .option('--strict', 'refuse JSON that has a member twice, whose last value counts otherwise');
}

/**
 * Returns how a CSV is read.
 *
 * @throws UsageError for an invalid option, and for one that the format has no use for.
 */
export function csvOptionsOf(given: FileOptions, format: Format): CsvOptions {
  if (given.encoding !== undefined) decoderOf(given.encoding);
  if (format === 'parquet' && given.encoding !== undefined)
    throw new UsageError('--encoding is for text only');
  if (format !== 'csv') {
    const useless = (
      ['delimiter', 'columns', 'null', 'decimalComma', 'dateFormat', 'timeZone'] as const
    ).find((name) => given[name] !== undefined && !(format === 'parquet' && name === 'timeZone'));
    if (useless !== undefined)
      throw new UsageError(
        `--${useless.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} is for CSV only`,
      );
  }
  return {
    delimiter: given.delimiter,
    headerLine: given.headerLine,
    columns: given.columns ?? new Map(),
    json: new JsonReader(given.strict ?? false),
    cells: new CellReader({
      decimalComma: given.decimalComma ?? false,
      dateFormat: given.dateFormat === undefined ? undefined : new DateFormat(given.dateFormat),
      zone: given.timeZone === undefined ? undefined : new SourceTimeZone(given.timeZone),
      nulls: new Set(given.null),
    }),
  };
}

function character(given: string): string {
  const text = given === String.raw`\t` ? '\t' : given;
  if (text.length !== 1 || /["\r\n]/.test(text))
    throw new InvalidArgumentError('Expected one character, and no quote or line end.');
  return text;
}

function line(given: string): number {
  if (!/^[1-9]\d{0,5}$/.test(given)) throw new InvalidArgumentError('Expected the number of a line, from 1.');
  return Number(given);
}

function renames(
  given: string,
  before: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  // A header may have commas; the name that it gets has none.
  const pairs = [...given.matchAll(/([^=]+)=([^,=]*)(?:,|$)/g)];
  if (pairs.map(([pair]) => pair).join('') !== given)
    throw new InvalidArgumentError('Expected pairs such as "Nome=name".');
  const named = pairs.map(([, name = '', renamed = '']): [string, string] => [name.trim(), renamed.trim()]);
  return new Map([...before, ...named]);
}
