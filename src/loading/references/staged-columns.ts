import type { BinaryType, CopiedValue } from '../../postgres/copy/binary-rows.ts';

/** A column of the temporary table that the facts are copied into. */
export interface StagedColumn {
  readonly name: string;
  readonly type: BinaryType;
  /** The property of the facts that it holds; null when its values are generated. */
  readonly property: string | null;
  /** Whether it orders the facts, as a number or a time. */
  readonly isOrder: boolean;
  /** Whether texts of the property are JSON. */
  readonly isDocument: boolean;
  /** Encodes a value of the property for COPY. Throws `ConversionError` or `InvalidJsonError`. */
  readonly read: (value: unknown) => CopiedValue;
}

/** The columns that a backfill reads from the facts, each once. */
export class StagedColumns {
  readonly #columns = new Map<string, StagedColumn>();

  get all(): readonly StagedColumn[] {
    return [...this.#columns.values()];
  }

  /** Returns the column for `property`, encoded in the way that `how` names; adds it when it is new. */
  add(
    property: string | null,
    type: BinaryType,
    how: string,
    read: (value: unknown) => CopiedValue,
  ): StagedColumn {
    const key = JSON.stringify([property, type, how]);
    const known = this.#columns.get(key);
    if (known) return known;
    const made = {
      name: `c${this.#columns.size + 1}`,
      type,
      property,
      isOrder: how.startsWith('order'),
      isDocument: type === 'jsonb' && !how.startsWith('element'),
      read,
    };
    this.#columns.set(key, made);
    return made;
  }
}
