import { dim, print } from 'mikro-orm-safe-migrations/cli';
import { InvalidRowError } from '../../errors.ts';
import { parseExactJson } from '../../json/exact-json.ts';
import {
  canonicalJson,
  NotJsonError,
  type CanonicalJson,
} from '../../legacy-import/conversion/canonical-json.ts';

/** Where a row has a JSON text. */
interface Place {
  readonly row: number;
  readonly property: string | null;
}

/** Parses the JSON of a file's rows, and notices objects that have a member more than once, of which parsers keep the last. */
export class JsonReader {
  readonly #strict: boolean;
  /** How many texts repeat a member. */
  #count = 0;
  #first: string | null = null;

  /** With `strict`, a repeated member is an error. */
  constructor(strict: boolean) {
    this.#strict = strict;
  }

  /**
   * Parses a JSON text, without losing digits of its numbers.
   *
   * @throws InvalidRowError when it is not JSON, or repeats a member and that is an error.
   */
  parse(text: string, at: Place): unknown {
    try {
      const value = parseExactJson(text);
      if (typeof value === 'object' && value !== null) this.notice(text, at);
      return value;
    } catch (cause) {
      if (cause instanceof InvalidRowError) throw cause;
      throw new InvalidRowError(at, 'is not valid JSON', { cause });
    }
  }

  /**
   * Notices the repeated members of a JSON text that another one parses.
   *
   * @throws InvalidRowError when it repeats a member and that is an error.
   */
  notice(text: string, at: Place): void {
    const [repeated] = repeatedIn(text);
    if (!repeated) return;
    if (this.#strict) throw new InvalidRowError(at, `has ${repeated.path} more than once`);
    this.#count += 1;
    this.#first ??= `row ${at.row}${at.property === null ? '' : `, ${at.property}`}, ${repeated.path}`;
  }

  /** Prints how many texts repeat a member; nothing when none does. */
  print(): void {
    if (this.#first === null) return;
    print(
      dim(
        `${this.#count.toLocaleString('en')} JSON texts have a member twice, the first in ${this.#first}: the last one counts; --strict refuses them`,
      ),
    );
  }
}

function repeatedIn(text: string): CanonicalJson['repeated'] {
  try {
    return canonicalJson(text).repeated;
  } catch (error) {
    if (error instanceof NotJsonError) return [];
    throw error;
  }
}
