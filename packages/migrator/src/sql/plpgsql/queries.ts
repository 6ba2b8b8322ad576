/** Returns the statements and expressions in a tree of PL/pgSQL. */
export function queriesIn(tree: unknown): string[] {
  if (typeof tree !== 'object' || tree === null) return [];
  if (Array.isArray(tree)) return tree.flatMap(queriesIn);
  return Object.entries(tree).flatMap(([key, value]: [string, unknown]) =>
    key === 'query' && typeof value === 'string' ? [value] : queriesIn(value),
  );
}
