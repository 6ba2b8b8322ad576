import { JsonType, p } from '@mikro-orm/core';
import type { z } from 'zod';
import { checkShape } from './check-shape.ts';

/** The type of a checked `jsonb` column. */
export abstract class ShapedJson extends JsonType {
  /** @throws InvalidJsonError when `document` does not have the column's shape. */
  abstract check(document: unknown): void;
}

/**
 * A `jsonb` column that holds what `schema` accepts. A document is checked when a flush is about to write it, and at no other
 * time; it is checked, not changed: nothing is filled in and unknown keys stay.
 */
export function jsonColumn<S extends z.ZodType>(schema: S) {
  // The ORM deep-copies a type's own fields for each property, which would break `schema`: close over it instead.
  class ColumnJson extends ShapedJson {
    check(document: unknown): void {
      checkShape(`${this.meta?.tableName}.${this.prop?.fieldNames[0]}`, schema, document);
    }
  }
  return p.type(ColumnJson).$type<z.infer<S>>();
}
