import type { EntityProperty } from '@mikro-orm/core';
import { ExactDoubleType } from './double-type.ts';
import { InstantType } from './instant-type.ts';

/**
 * Selects the column of `prop`, which `expression` is, under its own name in a form that no setting of the session changes; null when
 * its text depends on none.
 */
export function exactColumn({ customType, fieldNames }: EntityProperty, expression: string): string | null {
  if (!(customType instanceof InstantType || customType instanceof ExactDoubleType)) return null;
  return `${customType.convertToJSValueSQL(expression)} as "${fieldNames[0]}"`;
}
