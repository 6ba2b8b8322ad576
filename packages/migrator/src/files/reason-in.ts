/**
 * Returns a static property of a migration's class that is a reason; null where it is not declared.
 *
 * @throws Error when it is no text, or an empty one.
 */
export function reasonIn(declared: object, property: 'irreversible' | 'optional'): string | null {
  const value: unknown = property in declared ? Reflect.get(declared, property) : null;
  if (value === null || (typeof value === 'string' && value.trim() !== '')) return value;
  throw new Error(`its \`${property}\` has no reason; write static ${property} = 'why'`);
}
