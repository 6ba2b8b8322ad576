import { canonicalNumber } from './json-number.ts';

// Deeper, and PostgreSQL or we would run out of stack.
const mostLevels = 2_000;

/** A place in a document, such as `$.points[3].x`, and what is wrong there. */
export interface JsonFinding {
  readonly path: string;
  readonly problem: string;
}

export interface CanonicalJson {
  /** As PostgreSQL prints the document from a `jsonb`: keys in its order, numbers with all of their digits. */
  readonly text: string;
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
  /** What PostgreSQL can't store; in `text` null stands for such a number, and U+FFFD for such a character. */
  readonly invalid: readonly JsonFinding[];
  /** The keys that an object has more than once. The last one counts, as it did for whoever read the document before. */
  readonly repeated: readonly JsonFinding[];
}

/** A text that is no JSON, whatever one allows for. */
export class NotJsonError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

/**
 * Reads a document without taking its numbers for JavaScript's, so that each keeps its digits. Besides JSON it knows NaN, Infinity
 * and -Infinity, which Python writes.
 *
 * @throws NotJsonError
 */
export function canonicalJson(source: string): CanonicalJson {
  return new Reader(source).document();
}

// In a path, in place of a key that is being read. A key is there with its quotes.
const keyItself = '';

const space = /[ \t\n\r]*/y;
// oxlint-disable-next-line no-control-regex -- they are what JSON forbids in a string
const plain = /[^"\\\u0000-\u001F]*/y;
const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const word = /-?[A-Za-z]+/y;
const hex = /[0-9a-fA-F]{4}/y;

class Reader {
  readonly #source: string;
  #at = 0;
  readonly #path: (string | number)[] = [];
  readonly #invalid: JsonFinding[] = [];
  readonly #repeated: JsonFinding[] = [];

  constructor(source: string) {
    this.#source = source;
  }

  document(): CanonicalJson {
    this.#skipSpace();
    const text = this.#value();
    this.#skipSpace();
    if (this.#at < this.#source.length) this.#fail('goes on behind its end');
    return { text, kind: kindOf(text), invalid: this.#invalid, repeated: this.#repeated };
  }

  #value(): string {
    const first = this.#source[this.#at];
    if (first === '"') return this.#string();
    if (first !== '{' && first !== '[') return this.#scalar();
    this.#enter();
    return first === '{' ? this.#object() : this.#array();
  }

  #enter(): void {
    if (this.#path.length >= mostLevels) this.#fail(`is nested deeper than ${mostLevels} levels`);
    this.#at++;
  }

  #object(): string {
    const members: Member[] = [];
    this.#skipSpace();
    while (!this.#takes('}')) {
      if (members.length > 0) this.#needs(',');
      this.#skipSpace();
      if (this.#source[this.#at] !== '"') this.#fail('lacks a key');
      this.#path.push(keyItself);
      const key = this.#string();
      this.#path[this.#path.length - 1] = key;
      this.#skipSpace();
      this.#needs(':');
      this.#skipSpace();
      insert(members, { key, bytes: special.test(key) ? bytesOf(key) : null, value: this.#value() });
      this.#path.pop();
      this.#skipSpace();
    }
    if (members.length > mostInserted) members.sort(inPostgresOrder);
    const parts: string[] = [];
    for (let index = 0; index < members.length; index++) {
      const { key, value } = members[index] ?? nobody;
      // Members of one key are in their order.
      if (members[index + 1]?.key === key)
        this.#repeated.push({ path: this.#whereKey(key), problem: 'is repeated' });
      else parts.push(parts.length === 0 ? '{' : ', ', key, ': ', value);
    }
    // At once: texts that were put together bit by bit take up many times their length.
    parts.push(parts.length === 0 ? '{}' : '}');
    return parts.join('');
  }

  #array(): string {
    const elements: string[] = [];
    this.#skipSpace();
    while (!this.#takes(']')) {
      if (elements.length > 0) this.#needs(',');
      this.#skipSpace();
      this.#path.push(elements.length);
      elements.push(this.#value());
      this.#path.pop();
      this.#skipSpace();
    }
    return `[${elements.join(', ')}]`;
  }

  #string(): string {
    const start = this.#at++;
    let escapes = false;
    for (;;) {
      this.#passes(plain);
      const character = this.#source[this.#at];
      if (character === '"') break;
      if (character !== '\\')
        this.#fail(character === undefined ? 'ends early' : 'holds a control character');
      escapes = true;
      this.#escape();
    }
    const literal = this.#source.slice(start, ++this.#at);
    return escapes ? this.#unescaped(literal) : literal;
  }

  #escape(): void {
    const escaped = this.#source[this.#at + 1];
    if (escaped === undefined || !'"\\/bfnrtu'.includes(escaped)) this.#fail('holds an unknown escape');
    this.#at += 2;
    if (escaped === 'u' && !this.#passes(hex)) this.#fail('holds an unknown escape');
  }

  #unescaped(literal: string): string {
    let text = String(JSON.parse(literal));
    if (text.includes('\0')) {
      this.#invalid.push({ path: this.#where(), problem: 'holds U+0000' });
      text = text.replaceAll('\0', '\uFFFD');
    }
    if (!text.isWellFormed()) {
      this.#invalid.push({ path: this.#where(), problem: 'holds half of a surrogate pair' });
      text = text.toWellFormed();
    }
    // Of what it escapes, and how, it agrees with PostgreSQL.
    return JSON.stringify(text);
  }

  #scalar(): string {
    const digits = this.#match(number);
    if (digits !== '') {
      const canonical = canonicalNumber(digits);
      if (canonical === null) this.#fail('is a number with more digits than PostgreSQL keeps');
      return canonical;
    }
    const found = this.#match(word);
    if (found === 'true' || found === 'false' || found === 'null') return found;
    if (found !== 'NaN' && found !== 'Infinity' && found !== '-Infinity') this.#fail('is no value');
    this.#invalid.push({ path: this.#where(), problem: `is ${found}` });
    return 'null';
  }

  #match(pattern: RegExp): string {
    const start = this.#at;
    return this.#passes(pattern) ? this.#source.slice(start, this.#at) : '';
  }

  #passes(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    if (!pattern.test(this.#source)) return false;
    this.#at = pattern.lastIndex;
    return true;
  }

  #skipSpace(): void {
    if (this.#source.charCodeAt(this.#at) <= 32) this.#passes(space);
  }

  #takes(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #needs(character: string): void {
    if (!this.#takes(character)) this.#fail(`lacks a "${character}"`);
  }

  #fail(problem: string): never {
    throw new NotJsonError(this.#where(), problem);
  }

  #where(): string {
    return `$${this.#path.map(step).join('')}`;
  }

  #whereKey(key: string): string {
    return `${this.#where()}${step(key)}`;
  }
}

function step(part: string | number): string {
  if (typeof part === 'number') return `[${part}]`;
  if (part === keyItself) return ' (a key)';
  const name = part.slice(1, -1);
  return /^[A-Za-z_]\w*$/.test(name) ? `.${name}` : `[${part}]`;
}

const kinds: Partial<Record<string, CanonicalJson['kind']>> = {
  '{': 'object',
  '[': 'array',
  '"': 'string',
  n: 'null',
  t: 'boolean',
  f: 'boolean',
};

function kindOf(text: string): CanonicalJson['kind'] {
  return kinds[text[0] ?? ''] ?? 'number';
}

const special = /[^\u0020-\u007E]|\\/;

interface Member {
  /** With its quotes. */
  readonly key: string;
  /** In UTF-8, without quotes and escapes; null when that is what `key` has. */
  readonly bytes: Buffer | null;
  readonly value: string;
}

const nobody: Member = { key: '', bytes: null, value: '' };

// Beyond, to sort them once is quicker.
const mostInserted = 64;

/** Puts a member behind those that are not greater; only while there are few, since most objects have few. */
function insert(members: Member[], member: Member): void {
  let at = members.push(member) - 1;
  if (at >= mostInserted) return;
  for (
    let before = members[at - 1];
    before && inPostgresOrder(before, member) > 0;
    before = members[at - 1]
  ) {
    members[at--] = before;
    members[at] = member;
  }
}

/** The order of a `jsonb`: shorter keys first, by their bytes in UTF-8; of one length, by those bytes. */
function inPostgresOrder(one: Member, other: Member): number {
  if (one.bytes === null && other.bytes === null) {
    if (one.key.length !== other.key.length) return one.key.length - other.key.length;
    return one.key === other.key ? 0 : one.key < other.key ? -1 : 1;
  }
  const [first, second] = [one.bytes ?? bytesOf(one.key), other.bytes ?? bytesOf(other.key)];
  return first.length - second.length || first.compare(second);
}

function bytesOf(literal: string): Buffer {
  return Buffer.from(String(JSON.parse(literal)), 'utf8');
}
