import type { EntityProperty } from '@mikro-orm/core';
import { ExactDoubleType } from './double-type.ts';
import { InstantType } from './instant-type.ts';

/**
 * Returns the SQL that selects `expression`, the column of `prop`, under its name, in a form that does not depend on settings of the session.
 * Returns null for a type whose text does not depend on them.
 */
export function exactColumn({ customType, fieldNames }: EntityProperty, expression: string): string | null {
  if (!(customType instanceof InstantType || customType instanceof ExactDoubleType)) return null;
  return `${customType.convertToJSValueSQL(expression)} as "${fieldNames[0]}"`;
}
