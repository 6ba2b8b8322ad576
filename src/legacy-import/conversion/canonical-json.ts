import { canonicalNumber } from './canonical-number.ts';

// Beyond it, PostgreSQL's or our parser would overflow its stack.
const maxDepth = 2_000;

/** A path in a document, such as `$.points[3].x`, and the problem there. */
export interface JsonFinding {
  readonly path: string;
  readonly problem: string;
}

/** A document in the form in which PostgreSQL prints it. */
export interface CanonicalJson {
  /** The text of the `jsonb` value: keys in its order, numbers with all digits. */
  readonly text: string;
  readonly kind: 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';
  /** Values that PostgreSQL can't store. `text` has null in place of such a number, and U+FFFD in place of such a character. */
  readonly invalid: readonly JsonFinding[];
  /** Keys that an object has more than once. The last value is kept, as JSON parsers do. */
  readonly repeated: readonly JsonFinding[];
}

/** A text is not JSON, even with NaN and Infinity allowed. */
export class NotJsonError extends Error {
  readonly path: string;

  constructor(path: string, problem: string) {
    super(problem);
    this.path = path;
  }
}

/**
 * Parses a document and prints it as PostgreSQL's `jsonb` does. Numbers keep all digits, since they do not become JavaScript's. Accepts
 * NaN, Infinity and -Infinity, which Python writes.
 *
 * @throws NotJsonError when the text is not JSON.
 */
export function canonicalJson(source: string): CanonicalJson {
  return new Reader(source).document();
}

// Stands in a path for a key that is being parsed. Other keys have their quotes.
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
    if (this.#at < this.#source.length) this.#fail('has text after its end');
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
    if (this.#path.length >= maxDepth) this.#fail(`is nested deeper than ${maxDepth} levels`);
    this.#at++;
  }

  #object(): string {
    const members: Member[] = [];
    this.#skipSpace();
    while (!this.#takes('}')) {
      if (members.length > 0) this.#needs(',');
      this.#skipSpace();
      if (this.#source[this.#at] !== '"') this.#fail('has no key');
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
    if (members.length > maxInserted) members.sort(inPostgresOrder);
    const parts: string[] = [];
    for (let index = 0; index < members.length; index++) {
      const { key, value } = members[index] ?? noMember;
      // Members with the same key keep their order.
      if (members[index + 1]?.key === key)
        this.#repeated.push({ path: this.#whereKey(key), problem: 'is repeated' });
      else parts.push(parts.length === 0 ? '{' : ', ', key, ': ', value);
    }
    // Joined at once: a string that is concatenated step by step takes several times its length in memory.
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
        this.#fail(character === undefined ? 'is not terminated' : 'has a control character');
      escapes = true;
      this.#escape();
    }
    const literal = this.#source.slice(start, ++this.#at);
    return escapes ? this.#unescaped(literal) : literal;
  }

  #escape(): void {
    const escaped = this.#source[this.#at + 1];
    if (escaped === undefined || !'"\\/bfnrtu'.includes(escaped)) this.#fail('has an invalid escape');
    this.#at += 2;
    if (escaped === 'u' && !this.#passes(hex)) this.#fail('has an invalid escape');
  }

  #unescaped(literal: string): string {
    let text = String(JSON.parse(literal));
    if (text.includes('\0')) {
      this.#invalid.push({ path: this.#where(), problem: 'has U+0000' });
      text = text.replaceAll('\0', '\uFFFD');
    }
    if (!text.isWellFormed()) {
      this.#invalid.push({ path: this.#where(), problem: 'has an unpaired surrogate' });
      text = text.toWellFormed();
    }
    // Escapes the same characters in the same way as PostgreSQL.
    return JSON.stringify(text);
  }

  #scalar(): string {
    const digits = this.#match(number);
    if (digits !== '') {
      const canonical = canonicalNumber(digits);
      if (canonical === null) this.#fail('is a number with more digits than PostgreSQL stores');
      return canonical;
    }
    const found = this.#match(word);
    if (found === 'true' || found === 'false' || found === 'null') return found;
    if (found !== 'NaN' && found !== 'Infinity' && found !== '-Infinity') this.#fail('is not a JSON value');
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
    if (!this.#takes(character)) this.#fail(`has no "${character}"`);
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
  /** The key with its quotes. */
  readonly key: string;
  /** The unescaped key in UTF-8; null when `key` has the same bytes. */
  readonly bytes: Buffer | null;
  readonly value: string;
}

const noMember: Member = { key: '', bytes: null, value: '' };

// Objects with more members are sorted once at the end, which is faster.
const maxInserted = 64;

/** Inserts a member in order, after those that are not greater. */
function insert(members: Member[], member: Member): void {
  let at = members.push(member) - 1;
  if (at >= maxInserted) return;
  for (
    let before = members[at - 1];
    before && inPostgresOrder(before, member) > 0;
    before = members[at - 1]
  ) {
    members[at--] = before;
    members[at] = member;
  }
}

/** Compares keys as `jsonb` does: by their length in UTF-8, then by their bytes. */
function inPostgresOrder(left: Member, right: Member): number {
  if (left.bytes === null && right.bytes === null) {
    if (left.key.length !== right.key.length) return left.key.length - right.key.length;
    return left.key === right.key ? 0 : left.key < right.key ? -1 : 1;
  }
  const [first, second] = [left.bytes ?? bytesOf(left.key), right.bytes ?? bytesOf(right.key)];
  return first.length - second.length || first.compare(second);
}

function bytesOf(literal: string): Buffer {
  return Buffer.from(String(JSON.parse(literal)), 'utf8');
}
