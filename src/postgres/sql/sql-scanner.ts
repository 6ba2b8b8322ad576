import {
  quote,
  doubleQuote,
  dollar,
  ampersand,
  star,
  plus,
  minus,
  dot,
  slash,
  zero,
  colon,
  equals,
  backslash,
  underscore,
  other,
  blank,
  letter,
  digit,
  operatorSign,
  nonStandardOperatorSign,
  classOf,
  isBlank,
  isInLine,
  isDigit,
  isTagPart,
  isWordPart,
} from './characters.ts';

/**
 * The kind of a token. A `word` is a keyword or a name without quotes, a `string` any literal in quotes or dollars, a `sign` a single
 * character that is not part of an operator, such as a comma.
 */
export type TokenKind =
  | 'space'
  | 'comment'
  | 'word'
  | 'quoted name'
  | 'string'
  | 'number'
  | 'parameter'
  | 'operator'
  | 'sign';

export interface ScanOptions {
  /** Whether a backslash in a plain string is a character like any other: `standard_conforming_strings`. Default true. */
  readonly standardStrings?: boolean;
}

/**
 * Splits a text of SQL into tokens as PostgreSQL's scanner does (scan.l of versions 14 to 18), in linear time.
 *
 * - Every character belongs to exactly one token, also where the server would refuse the text. A string, comment or quoted name that is
 *   not closed extends to the end and has `isOpen` set.
 * - A string includes its prefix (`E`, `B`, `X`, `N`, `U&`) and its continuation on further lines.
 * - What follows a number without a space is a separate token. The server refuses it since version 15.
 */
export class SqlScanner {
  readonly text: string;
  kind: TokenKind = 'space';
  /** The position of the token's first character. */
  start = 0;
  /** The position after the token's last character. */
  end = 0;
  /** Whether the last token is not closed at the end of the text. */
  isOpen = false;
  readonly #standardStrings: boolean;
  // Up to this position, each character is an operator: `+` and `-` that do not belong to the operator before them.
  #operatorsUntil = 0;

  constructor(text: string, { standardStrings = true }: ScanOptions = {}) {
    this.text = text;
    this.#standardStrings = standardStrings;
  }

  /** Moves to the next token. Returns false at the end of the text. */
  next(): boolean {
    const at = this.end;
    if (at >= this.text.length) return false;
    this.start = at;
    const code = this.text.charCodeAt(at);
    switch (classOf(code)) {
      case blank:
        return this.#token('space', this.#endOf(at + 1, isBlank));
      case letter:
        return this.#beginningWithLetter(at, code);
      case digit:
        return this.#token('number', this.#numberEnd(at));
      case operatorSign:
      case nonStandardOperatorSign:
        return this.#operatorOrComment(at, code);
      case other:
      default:
        return this.#beginningWithSign(at, code);
    }
  }

  #token(kind: TokenKind, end: number): true {
    this.kind = kind;
    this.end = end;
    return true;
  }

  /** Sets a token that ends at `end`. A negative `end` is a token that is not closed. */
  #tokenUntil(kind: TokenKind, end: number): true {
    if (end >= 0) return this.#token(kind, end);
    this.isOpen = true;
    return this.#token(kind, this.text.length);
  }

  #code(at: number): number {
    return at < this.text.length ? this.text.charCodeAt(at) : 0;
  }

  /** Returns the position of the first character from `from` on that fails `test`. */
  #endOf(from: number, test: (code: number) => boolean): number {
    let at = from;
    while (at < this.text.length && test(this.text.charCodeAt(at))) at++;
    return at;
  }

  #beginningWithLetter(at: number, code: number): true {
    const next = this.#code(at + 1);
    const prefix = code | 0x20;
    if (next === quote) {
      if (prefix === 0x65) return this.#tokenUntil('string', this.#stringEnd(at + 2, true, true));
      if (prefix === 0x6e)
        return this.#tokenUntil('string', this.#stringEnd(at + 2, !this.#standardStrings, true));
      // In a bit string, two quotes end one string and begin the next.
      if (prefix === 0x62 || prefix === 0x78)
        return this.#tokenUntil('string', this.#stringEnd(at + 2, false, false));
    }
    if (prefix === 0x75 && next === ampersand) {
      const third = this.#code(at + 2);
      if (third === quote) return this.#tokenUntil('string', this.#stringEnd(at + 3, false, true));
      if (third === doubleQuote) return this.#tokenUntil('quoted name', this.#quotedNameEnd(at + 3));
    }
    return this.#token('word', this.#endOf(at + 1, isWordPart));
  }

  #beginningWithSign(at: number, code: number): true {
    const next = this.#code(at + 1);
    switch (code) {
      case quote:
        return this.#tokenUntil('string', this.#stringEnd(at + 1, !this.#standardStrings, true));
      case doubleQuote:
        return this.#tokenUntil('quoted name', this.#quotedNameEnd(at + 1));
      case dollar:
        return this.#beginningWithDollar(at, next);
      case dot:
        if (isDigit(next)) return this.#token('number', this.#numberEnd(at));
        return next === dot ? this.#token('operator', at + 2) : this.#token('sign', at + 1);
      case colon:
        return next === colon || next === equals
          ? this.#token('operator', at + 2)
          : this.#token('sign', at + 1);
      default:
        return this.#token('sign', at + 1);
    }
  }

  #beginningWithDollar(at: number, next: number): true {
    if (isDigit(next)) return this.#token('parameter', this.#endOf(at + 2, isDigit));
    const tagEnd = classOf(next) === letter ? this.#endOf(at + 2, isTagPart) : at + 1;
    if (this.#code(tagEnd) !== dollar) return this.#token('sign', at + 1);
    const delimiter = this.text.slice(at, tagEnd + 1);
    const close = this.text.indexOf(delimiter, tagEnd + 1);
    return this.#tokenUntil('string', close < 0 ? -1 : close + delimiter.length);
  }

  /** Returns the end of a string whose content begins at `from`; -1 when it is not closed. */
  #stringEnd(from: number, escapes: boolean, doubles: boolean): number {
    const { text } = this;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === backslash && escapes) at++;
      else if (code === quote) {
        if (doubles && this.#code(at + 1) === quote) at++;
        else {
          const more = this.#continuation(at + 1);
          if (more < 0) return at + 1;
          at = more;
        }
      }
    }
    return -1;
  }

  /** Returns the position of the quote that continues a string which ended before `from`, after a line break; -1 without one. */
  #continuation(from: number): number {
    let isNewLine = false;
    let at = from;
    for (; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === minus && this.#code(at + 1) === minus) at = this.#endOf(at + 2, isInLine) - 1;
      else if (!isInLine(code)) isNewLine = true;
      else if (!isBlank(code)) break;
    }
    return isNewLine && this.#code(at) === quote ? at : -1;
  }

  #quotedNameEnd(from: number): number {
    const { text } = this;
    for (let at = from; at < text.length; at++) {
      if (text.charCodeAt(at) !== doubleQuote) continue;
      if (this.#code(at + 1) !== doubleQuote) return at + 1;
      at++;
    }
    return -1;
  }

  #numberEnd(from: number): number {
    const radix = this.#code(from) === zero ? radixDigits(this.#code(from + 1)) : undefined;
    if (radix) {
      const end = this.#digitsEnd(from + 1, radix);
      if (end > from + 2) return end;
    }
    let at = isDigit(this.#code(from)) ? this.#digitsEnd(from, isDigit) : from;
    // `1..2` is a range.
    if (this.#code(at) === dot && this.#code(at + 1) !== dot) {
      at++;
      if (isDigit(this.#code(at))) at = this.#digitsEnd(at, isDigit);
    }
    if ((this.#code(at) | 0x20) === 0x65) {
      const sign = this.#code(at + 1);
      const exponent = sign === plus || sign === minus ? at + 2 : at + 1;
      if (isDigit(this.#code(exponent))) at = this.#digitsEnd(exponent, isDigit);
    }
    return at;
  }

  /** Returns the end of digits after the character at `from`. One underscore may separate two digits. */
  #digitsEnd(from: number, test: (code: number) => boolean): number {
    let at = from + 1;
    for (;;) {
      const next = this.#code(at) === underscore ? at + 1 : at;
      if (!test(this.#code(next))) return at;
      at = next + 1;
    }
  }

  #operatorOrComment(from: number, code: number): true {
    if (from < this.#operatorsUntil) return this.#token('operator', from + 1);
    if (this.#isComment(from)) {
      return code === minus
        ? this.#token('comment', this.#endOf(from + 2, isInLine))
        : this.#tokenUntil('comment', this.#commentEnd(from + 2));
    }
    let at = from;
    let keepsEnd = false;
    let lastKept = from;
    do {
      const next = this.text.charCodeAt(at);
      keepsEnd ||= classOf(next) === nonStandardOperatorSign;
      if (next !== plus && next !== minus) lastKept = at;
      at++;
    } while (classOf(this.#code(at)) >= operatorSign && !this.#isComment(at));
    if (keepsEnd) return this.#token('operator', at);
    // A `+` or `-` at the end is a separate token, as in `a=-1`.
    this.#operatorsUntil = at;
    return this.#token('operator', lastKept + 1);
  }

  #isComment(at: number): boolean {
    const code = this.#code(at);
    if (code === minus) return this.#code(at + 1) === minus;
    return code === slash && this.#code(at + 1) === star;
  }

  /** Returns the end of a comment whose content begins at `from` and may have nested comments; -1 when it is not closed. */
  #commentEnd(from: number): number {
    const { text } = this;
    let depth = 1;
    for (let at = from; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === slash && this.#code(at + 1) === star) depth++;
      else if (code === star && this.#code(at + 1) === slash) depth--;
      else continue;
      at++;
      if (depth === 0) return at + 1;
    }
    return -1;
  }
}

/** Returns the test for the digits of a number that begins with a zero and this letter; undefined for any other letter. */
function radixDigits(prefix: number): ((code: number) => boolean) | undefined {
  switch (prefix | 0x20) {
    case 0x78:
      return (code) => isDigit(code) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66);
    case 0x6f:
      return (code) => code >= zero && code <= 0x37;
    case 0x62:
      return (code) => code === zero || code === 0x31;
    default:
      return undefined;
  }
}
