/**
 * Returns a text that a regular expression matches, another one for each `variant`; null when the expression has a form that this
 * generator lacks. The caller has to test it: the dialects differ.
 */
export function textMatching(pattern: string, variant: number): string | null {
  try {
    return new Generator(pattern.replace(/^\(\?[a-z]+\)/, '').replace(/^\*\*\*[:=]/, ''), variant).text();
  } catch {
    return null;
  }
}

const classes: Readonly<Record<string, string>> = {
  d: '0123456789',
  w: 'abcdefghijklmnopqrstuvwxyz0123456789',
  s: ' ',
  S: 'abcdefghijklmnopqrstuvwxyz',
  D: 'abcdefghijklmnopqrstuvwxyz',
  W: '-',
  alpha: 'abcdefghijklmnopqrstuvwxyz',
  alnum: 'abcdefghijklmnopqrstuvwxyz0123456789',
  digit: '0123456789',
  lower: 'abcdefghijklmnopqrstuvwxyz',
  upper: 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
  space: ' ',
  xdigit: '0123456789abcdef',
  punct: '.-_',
};

class Generator {
  readonly #pattern: string;
  #at = 0;
  #state: number;

  constructor(pattern: string, variant: number) {
    this.#pattern = pattern;
    this.#state = variant;
  }

  text(): string {
    const text = this.#alternatives();
    if (this.#at < this.#pattern.length) throw new SyntaxError('an unmatched parenthesis');
    return text;
  }

  #alternatives(): string {
    const all = [this.#sequence()];
    while (this.#pattern[this.#at] === '|') {
      this.#at++;
      all.push(this.#sequence());
    }
    return this.#pick(all);
  }

  #sequence(): string {
    let text = '';
    while (this.#at < this.#pattern.length && !/[|)]/.test(this.#pattern[this.#at] ?? '')) {
      const from = this.#at;
      let one = this.#atom();
      const [min, max] = this.#quantifier();
      const to = this.#at;
      // As many as vary enough, and no more.
      const count = Math.min(Math.max(min, Math.min(max, 6)), 200);
      for (let index = 0; index < count; index++) {
        text += one;
        if (index + 1 === count) break;
        this.#at = from;
        one = this.#atom();
        this.#at = to;
      }
    }
    return text;
  }

  #atom(): string {
    const char = this.#pattern[this.#at++] ?? '';
    switch (char) {
      case '^':
      case '$':
        return '';
      case '.':
        return this.#pick((classes['w'] ?? '').split(''));
      case '[':
        return this.#set();
      case '\\': {
        const escaped = this.#pattern[this.#at++] ?? '';
        if (/[mMyYAZbB]/.test(escaped)) return '';
        const chars = classes[escaped];
        return chars === undefined ? escaped : this.#pick(chars.split(''));
      }
      case '(': {
        if (this.#pattern.startsWith('?:', this.#at)) this.#at += 2;
        else if (this.#pattern[this.#at] === '?') throw new SyntaxError('a lookaround');
        const text = this.#alternatives();
        if (this.#pattern[this.#at++] !== ')') throw new SyntaxError('an unmatched parenthesis');
        return text;
      }
      default:
        return char;
    }
  }

  #set(): string {
    const isNegated = this.#pattern[this.#at] === '^';
    if (isNegated) this.#at++;
    let chars = '';
    for (let first = true; first || this.#pattern[this.#at] !== ']'; first = false) {
      if (this.#at >= this.#pattern.length) throw new SyntaxError('an unclosed set');
      const [named, name = ''] = /^\[:(\w+):\]/.exec(this.#pattern.slice(this.#at)) ?? [];
      if (named !== undefined) {
        this.#at += named.length;
        chars += classes[name] ?? '';
        continue;
      }
      let from = this.#pattern[this.#at++] ?? '';
      if (from === '\\') {
        from = this.#pattern[this.#at++] ?? '';
        if (classes[from] !== undefined) {
          chars += classes[from];
          continue;
        }
      }
      const to = this.#pattern[this.#at + 1];
      if (this.#pattern[this.#at] !== '-' || to === undefined || to === ']') {
        chars += from;
        continue;
      }
      this.#at += 2;
      for (
        let code = from.codePointAt(0) ?? 0;
        code <= (to.codePointAt(0) ?? 0) && chars.length < 200;
        code++
      )
        chars += String.fromCodePoint(code);
    }
    this.#at++;
    if (!isNegated) return this.#pick(chars.split(''));
    return this.#pick(
      'abcdefghijklmnopqrstuvwxyz0123456789 -'.split('').filter((one) => !chars.includes(one)),
    );
  }

  #quantifier(): readonly [number, number] {
    const [found, min = '', comma, max = ''] =
      /^(?:[*+?]|\{(\d+)(,)?(\d*)\})/.exec(this.#pattern.slice(this.#at)) ?? [];
    if (found === undefined) return [1, 1];
    this.#at += found.length;
    if (this.#pattern[this.#at] === '?') this.#at++;
    if (found === '*' || found === '+') return [1, 4];
    if (found === '?') return [0, 1];
    return [Number(min), comma === undefined ? Number(min) : max === '' ? Number(min) + 4 : Number(max)];
  }

  #pick(all: readonly string[]): string {
    if (all.length === 0) throw new SyntaxError('an empty set');
    const index = this.#state % all.length;
    // As the digits of a number, so that each variant gives another text.
    this.#state = Math.floor(this.#state / all.length);
    return all[index] ?? '';
  }
}
