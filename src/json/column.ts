import { p } from '@mikro-orm/core';
import type { z } from 'zod';
import { ShapedJson } from './shaped-json.ts';

/**
 * Declares a `jsonb` column whose documents match `schema`. A document is checked only when a flush, or another statement of the ORM, is
 * about to write it. It is not changed: defaults are not filled in, and unknown keys are kept.
 */
export function jsonColumn<S extends z.ZodType>(schema: () => S) {
  // The ORM deep-copies a type's own fields for each property, which would break `schema`: close over it instead.
  class ColumnJson extends ShapedJson {
    override get shape(): S {
      return schema();
    }
  }
  return p.type(ColumnJson).$type<z.infer<S>>();
}
