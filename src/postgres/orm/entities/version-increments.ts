const increments = new WeakMap<object, number>();

/** Records that a statement of this unit of work incremented the version of a loaded row, but not that of its entity. */
export function recordVersionIncrement(entity: object): void {
  increments.set(entity, (increments.get(entity) ?? 0) + 1);
}

/** Returns the number of version increments that `recordVersionIncrement` recorded for a loaded row, with a function that resets it. */
export function versionIncrementsOf(entity: object): { readonly count: number; reset(): void } {
  return { count: increments.get(entity) ?? 0, reset: () => void increments.delete(entity) };
}
