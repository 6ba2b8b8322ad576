const raises = new WeakMap<object, number>();

/** Records that a statement of this unit of work raised the version of a loaded row by one, past the entity. */
export function recordVersionIncrement(entity: object): void {
  raises.set(entity, (raises.get(entity) ?? 0) + 1);
}

/** How often statements of this unit of work have raised the version of a loaded row since it was read. */
export function versionIncrementsSince(entity: object): { readonly count: number; reset(): void } {
  return { count: raises.get(entity) ?? 0, reset: () => void raises.delete(entity) };
}
