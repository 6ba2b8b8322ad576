import { p } from '@mikro-orm/core';
import type { z } from 'zod';
import { ShapedJson } from './shaped-json.ts';

/**
 * A `jsonb` column that holds what `schema` accepts. A document is checked when a flush, or another statement of the ORM, is about to
 * write it, and at no other time; it is checked, not changed: nothing is filled in and unknown keys stay.
 */
export function jsonColumn<S extends z.ZodType>(schema: S) {
  // The ORM deep-copies a type's own fields for each property, which would break `schema`: close over it instead.
  class ColumnJson extends ShapedJson {
    override get shape(): S {
      return schema;
    }
  }
  return p.type(ColumnJson).$type<z.infer<S>>();
}
