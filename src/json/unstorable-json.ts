import { types } from 'node:util';
import { unstorableText } from './unstorable-text.ts';
import { isRawJSON } from './raw-json.ts';

/** The maximum depth of a document: far below the limits of JavaScript's stack and of PostgreSQL. */
export const maxDepth = 1_000;

// The reported path of a place that is thousands of levels deep is cut.
const maxPathLength = 10;

/** A document has a value that JSON or PostgreSQL can't represent. The error has keys of the document, but no values. */
export class UnstorableJsonError extends Error {
  readonly path: readonly PropertyKey[];
  /** The value in words, such as `NaN` or `a bigint`. */
  readonly found: string;
  readonly reason: string;

  constructor(path: readonly PropertyKey[], found: string, reason: string) {
    super(`${found}, ${reason}`);
    this.path = path.slice(0, maxPathLength);
    this.found = found;
    this.reason = reason;
  }
}

/**
 * Refuses a document with a value that `JSON.stringify` would change or omit, or that PostgreSQL would refuse. Properties that are
 * undefined or functions are omitted, as in JSON. In an array they would become null, and are refused.
 *
 * @throws UnstorableJsonError for the first place in the document's order.
 */
export function refuseUnstorable(document: unknown, { bigints }: { bigints: 'allowed' | 'refused' }): void {
  new Checker(bigints === 'allowed').check(document, '');
}

class Checker {
  readonly #allowsBigints: boolean;
  readonly #path: (string | number)[] = [];
  readonly #ancestors: object[] = [];

  constructor(allowsBigints: boolean) {
    this.#allowsBigints = allowsBigints;
  }

  check(value: unknown, key: string): void {
    if (typeof value === 'string') return this.#text(value, '');
    if (typeof value === 'number') return Number.isFinite(value) ? undefined : this.#refuse(String(value));
    if (typeof value === 'bigint') {
      if (this.#allowsBigints) return;
      return this.#refuse(
        'a bigint',
        'which JSON.stringify does not write: pass JSON.rawJSON(String(value))',
      );
    }
    if (typeof value === 'object') return value === null ? undefined : this.#object(value, key);
    if (typeof value !== 'boolean')
      this.#refuse(value === undefined ? 'undefined' : `a ${typeof value}`, 'which is not JSON');
  }

  #object(value: object, key: string): void {
    if (isRawJSON(value)) return;
    if (types.isDate(value) && Number.isNaN(value.getTime())) this.#refuse('an invalid date');
    if (ArrayBuffer.isView(value))
      this.#refuse('binary data', 'which is not JSON: pass text, such as base64');
    // Called once, as by `JSON.stringify`, also when the result has a `toJSON` method too.
    const written: unknown =
      'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON(key) : value;
    if (typeof written !== 'object' || written === null) return this.check(written, key);
    if (this.#ancestors.length >= maxDepth) this.#refuseDepth();
    this.#ancestors.push(written);
    if (Array.isArray(written)) {
      // By index, because iteration methods skip elements that were never set.
      for (let index = 0; index < written.length; index++) this.#at(index, written[index]);
    } else {
      this.#refuseKind(written);
      for (const [name, member] of Object.entries(written)) {
        this.#text(name, ' in a key');
        // JSON omits it.
        if (member === undefined || typeof member === 'function' || typeof member === 'symbol') continue;
        this.#at(name, member);
      }
    }
    this.#ancestors.pop();
  }

  #at(place: string | number, value: unknown): void {
    this.#path.push(place);
    this.check(value, String(place));
    this.#path.pop();
  }

  // `JSON.stringify` writes sets, maps, errors and the like as {}, or with only a part of their data.
  #refuseKind(object: object): void {
    const kind = Object.prototype.toString.call(object);
    if (kind !== '[object Object]') this.#refuse(`a value of type ${kind.slice(8, -1)}`, 'which is not JSON');
  }

  #text(text: string, where: string): void {
    const found = unstorableText(text);
    if (found !== null) this.#refuse(`${found}${where}`, 'which PostgreSQL does not store');
  }

  #refuse(found: string, reason = "which JSON can't represent"): never {
    throw new UnstorableJsonError(this.#path, found, reason);
  }

  #refuseDepth(): never {
    if (new Set(this.#ancestors).size < this.#ancestors.length)
      this.#refuse('a reference to itself', 'which is not JSON');
    this.#refuse(`more than ${maxDepth} levels`, 'which is the maximum depth of a document');
  }
}
