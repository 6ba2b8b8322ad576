import { RawQueryFragment, isRaw } from '@mikro-orm/core';
import { splitPlaceholders, type Placeholder, type Template } from '../../sql/placeholders.ts';

/** Writes a statement with the fragments of `raw` among its values as parts of its text. */
export class TemplateWriter implements Template {
  readonly texts: string[] = [''];
  readonly placeholders: Placeholder[] = [];
  /** The values of the placeholders. */
  readonly values: unknown[] = [];

  /** The same for statements with the same texts and placeholders only. */
  get key(): string {
    return JSON.stringify([this.texts, this.placeholders]);
  }

  /** Appends a statement or a fragment, and its values. */
  write(sql: string, values: readonly unknown[]): void {
    // Without values, the ORM leaves a text as it is.
    if (values.length === 0) return this.#append(sql);
    const { texts, placeholders } = splitPlaceholders(sql);
    this.#append(texts[0] ?? '');
    for (const [index, placeholder] of placeholders.entries()) {
      const value = values[index];
      const fragment = placeholder === 'name' ? RawQueryFragment.getKnownFragment(value) : fragmentOf(value);
      if (fragment) this.write(fragment.sql, fragment.params);
      else {
        this.placeholders.push(placeholder);
        this.values.push(value);
        this.texts.push('');
      }
      this.#append(texts[index + 1] ?? '');
    }
  }

  #append(text: string): void {
    this.texts[this.texts.length - 1] += text;
  }
}

function fragmentOf(value: unknown): RawQueryFragment | undefined {
  return isRaw(value) ? value : undefined;
}
