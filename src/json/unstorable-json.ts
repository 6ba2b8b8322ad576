import { types } from 'node:util';
import { unstorableText } from './unstorable-text.ts';
import { isRawJSON } from './raw-json.ts';

/** The maximum depth of a document: far below the limits of JavaScript's stack and of PostgreSQL. */
export const maxDepth = 1_000;

// Of a place that is thousands of levels deep, the beginning says enough.
const maxPathLength = 10;

/** A document holds something that JSON or PostgreSQL can't. Holds no values of the document but keys. */
export class UnstorableJsonError extends Error {
  readonly path: readonly PropertyKey[];
  /** What it is, such as `NaN`. */
  readonly what: string;
  readonly why: string;

  constructor(path: readonly PropertyKey[], what: string, why: string) {
    super(`${what}, ${why}`);
    this.path = path.slice(0, maxPathLength);
    this.what = what;
    this.why = why;
  }
}

/**
 * Looks for what `JSON.stringify` would write as something else, or not at all, and PostgreSQL would refuse. Properties that are
 * undefined or functions are left out of a document, as JSON does; in an array they would become null, and are refused.
 *
 * @throws UnstorableJsonError for the first place in the document's order.
 */
export function refuseUnstorable(document: unknown, { bigints }: { bigints: 'allowed' | 'refused' }): void {
  new Search(bigints === 'allowed').look(document, '');
}

class Search {
  readonly #allowsBigints: boolean;
  readonly #path: (string | number)[] = [];
  readonly #above: object[] = [];

  constructor(allowsBigints: boolean) {
    this.#allowsBigints = allowsBigints;
  }

  look(value: unknown, key: string): void {
    if (typeof value === 'string') return this.#text(value, '');
    if (typeof value === 'number') return Number.isFinite(value) ? undefined : this.#refuse(String(value));
    if (typeof value === 'bigint') {
      if (this.#allowsBigints) return;
      return this.#refuse(
        'a bigint',
        'which JSON.stringify does not write: give JSON.rawJSON(String(value))',
      );
    }
    if (typeof value === 'object') return value === null ? undefined : this.#object(value, key);
    if (typeof value !== 'boolean')
      this.#refuse(value === undefined ? 'undefined' : `a ${typeof value}`, 'which is no JSON');
  }

  #object(value: object, key: string): void {
    if (isRawJSON(value)) return;
    if (types.isDate(value) && Number.isNaN(value.getTime())) this.#refuse('an invalid date');
    if (ArrayBuffer.isView(value)) this.#refuse('binary data', 'which is no JSON: give text, such as base64');
    // Called once, as `JSON.stringify` does: what it gives may have such a method too.
    const written: unknown =
      'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON(key) : value;
    if (typeof written !== 'object' || written === null) return this.look(written, key);
    if (this.#above.length >= maxDepth) this.#refuseDepth();
    this.#above.push(written);
    if (Array.isArray(written)) {
      // By index: iteration methods skip what was never set.
      for (let index = 0; index < written.length; index++) this.#at(index, written[index]);
    } else {
      this.#refuseKind(written);
      for (const [name, member] of Object.entries(written)) {
        this.#text(name, ' in a key');
        // Left out.
        if (member === undefined || typeof member === 'function' || typeof member === 'symbol') continue;
        this.#at(name, member);
      }
    }
    this.#above.pop();
  }

  #at(place: string | number, value: unknown): void {
    this.#path.push(place);
    this.look(value, String(place));
    this.#path.pop();
  }

  // Sets, maps, errors and such are written as {}, or as what few properties they have.
  #refuseKind(object: object): void {
    const kind = Object.prototype.toString.call(object);
    if (kind !== '[object Object]') this.#refuse(`a value of type ${kind.slice(8, -1)}`, 'which is no JSON');
  }

  #text(text: string, where: string): void {
    const found = unstorableText(text);
    if (found !== null) this.#refuse(`${found}${where}`, 'which PostgreSQL does not store');
  }

  #refuse(what: string, why = "which JSON can't say"): never {
    throw new UnstorableJsonError(this.#path, what, why);
  }

  #refuseDepth(): never {
    if (new Set(this.#above).size < this.#above.length)
      this.#refuse('a reference to itself', 'which is no JSON');
    this.#refuse(`more than ${maxDepth} levels`, 'which is how deep a document may be nested');
  }
}
