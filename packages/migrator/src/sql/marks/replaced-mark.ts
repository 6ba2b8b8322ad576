/** The beginning of the comment of a column that another one replaces, and of what belongs to it. Databases contain it, so it must never change. */
export const replacedMark = '{"replaced":';

/** Returns the comment of a column that the column `by` of its table replaces. */
export function markOfReplaced(by: string): string {
  return JSON.stringify({ replaced: { by } });
}

/** Returns the comment of an index, constraint, trigger or function that is dropped together with the replaced column `column`. */
export function markOfPart(column: string): string {
  return JSON.stringify({ replaced: { of: column } });
}
