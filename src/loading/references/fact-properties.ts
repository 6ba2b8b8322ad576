import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import type { LoadColumn } from '../load-target.ts';
import type { BackfillTarget } from './config.ts';
import { orderNumber, orderTime, parsed, tidied, valueFor } from './fact-values.ts';
import type { StagedColumn, StagedColumns } from './staged-facts.ts';
import { copiedValues } from '../copied-values.ts';

/** A property that some fact has to have, and where the configuration says so. */
export interface RequiredProperty {
  readonly property: string;
  readonly path: string;
}

/** Where the configuration names a property of the facts. */
export interface NamedAt {
  /** Within the target. */
  readonly path: string;
  /** Whether no fact need have it. */
  readonly optional: boolean;
}

/** What one target reads of the facts. */
export class FactProperties {
  readonly #path: string;
  readonly #skipBlank: boolean;
  readonly #columns: StagedColumns;
  readonly #required: RequiredProperty[];

  constructor(given: {
    path: string;
    target: BackfillTarget;
    columns: StagedColumns;
    required: RequiredProperty[];
  }) {
    this.#path = given.path;
    this.#skipBlank = given.target.skipBlankValues;
    this.#columns = given.columns;
    this.#required = given.required;
  }

  /** The property as `column` holds it. */
  valued(property: string, column: LoadColumn, at: NamedAt): StagedColumn {
    const { type, check, name } = column;
    if (!check) return this.#add(property, type, 'value', at, (value) => valueFor(type, value));
    return this.#add(property, type, `document for ${this.#path}.${name}`, at, (value) => {
      const document = typeof value === 'string' ? parsed(value) : value;
      check(document);
      return copiedValues.jsonb(document);
    });
  }

  /** The property as text. */
  text(property: string, at: NamedAt): StagedColumn {
    return this.#add(property, 'text', 'value', at, (value) => valueFor('text', value));
  }

  /** The property as an element of the JSON array that `column` holds. */
  element(property: string, { check, name }: LoadColumn, at: NamedAt): StagedColumn {
    return this.#add(property, 'jsonb', `element for ${this.#path}.${name}`, at, (value) => {
      check?.([value]);
      return copiedValues.jsonb(value);
    });
  }

  /** The property as what facts are ordered by: a number, and a time. */
  order(property: string, at: NamedAt): { number: StagedColumn; time: StagedColumn } {
    return {
      number: this.#add(property, 'text', 'order', at, orderNumber),
      time: this.#add(property, 'timestamptz', 'order', at, orderTime),
    };
  }

  #add(
    property: string,
    type: BinaryType,
    how: string,
    { path, optional }: NamedAt,
    read: (value: unknown) => CopiedValue,
  ): StagedColumn {
    if (!optional) this.#required.push({ property, path: `${this.#path}.${path}` });
    return this.#columns.add(property, type, `${how}, ${this.#skipBlank ? 'blank' : 'all'}`, (given) => {
      const value = tidied(given, this.#skipBlank);
      return value === null ? null : read(value);
    });
  }
}
