import { isDate } from 'node:util/types';
import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';
import type { LoadColumn } from '../load/load-target.ts';
import type { BackfillTarget } from './backfill-config.ts';
import { FactOrder } from './fact-order.ts';
import { encodeFact, normalizeFact, parseJson } from './fact-values.ts';
import { validateDocument } from '../load/validate-document.ts';
import type { StagedColumn, StagedColumns } from './staged-columns.ts';
import { isRawJSON } from '../../json/raw-json.ts';
import { ConversionError } from '../load/conversion-error.ts';
import { copyEncoders } from '../load/copy-encoders.ts';

/** A property that at least one fact must have, with its path in the configuration. */
export interface RequiredProperty {
  readonly property: string;
  readonly path: string;
}

/** A reference to a property of the facts in the configuration. */
export interface PropertyReference {
  /** The path within the target. */
  readonly path: string;
  /** Whether all facts may lack the property. */
  readonly optional: boolean;
}

/** Registers the staged columns that one target reads from the facts. */
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

  /** Adds the property as a value for `column`. */
  valueColumn(property: string, column: LoadColumn, at: PropertyReference): StagedColumn {
    const { type, validate, name } = column;
    if (!validate) return this.#add(property, type, 'value', at, (value) => encodeFact(type, value));
    return this.#add(property, type, `document for ${this.#path}.${name}`, at, (value) => {
      const document = typeof value === 'string' ? parseJson(value) : value;
      const text = copyEncoders.jsonb(document);
      validateDocument(validate, document, text);
      return text;
    });
  }

  /** Adds the property as a value of a key, which must not be a list or an object. */
  keyColumn(property: string, { type }: LoadColumn, at: PropertyReference): StagedColumn {
    return this.#add(property, type, 'key', at, (value) => {
      if (typeof value === 'object' && !isDate(value) && !isRawJSON(value))
        throw new ConversionError('is a list or an object, which is no key');
      return encodeFact(type, value);
    });
  }

  /** Adds the property as text. */
  textColumn(property: string, at: PropertyReference): StagedColumn {
    return this.#add(property, 'text', 'value', at, (value) => encodeFact('text', value));
  }

  /** Adds the property as an element of the JSON array in `column`. */
  elementColumn(property: string, { validate, name }: LoadColumn, at: PropertyReference): StagedColumn {
    return this.#add(property, 'jsonb', `element for ${this.#path}.${name}`, at, (value) => {
      validate?.([value]);
      return copyEncoders.jsonb(value);
    });
  }

  /** Adds the property as the order of facts: as a number and as a time. */
  orderColumns(property: string, at: PropertyReference): { number: StagedColumn; time: StagedColumn } {
    const order = new FactOrder();
    return {
      number: this.#add(property, 'text', 'order', at, (value) => order.number(value)),
      time: this.#add(property, 'timestamptz', 'order', at, (value) => order.time(value)),
    };
  }

  #add(
    property: string,
    type: BinaryType,
    how: string,
    { path, optional }: PropertyReference,
    read: (value: unknown) => CopiedValue,
  ): StagedColumn {
    if (!optional) this.#required.push({ property, path: `${this.#path}.${path}` });
    return this.#columns.add(property, type, `${how}, ${this.#skipBlank ? 'blank' : 'all'}`, (given) => {
      const value = normalizeFact(given, this.#skipBlank);
      return value === null ? null : read(value);
    });
  }
}
