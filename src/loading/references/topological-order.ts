interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** Returns the targets sorted so that each follows its dependencies, otherwise in the order of their declaration. */
export function topologicalOrder<T extends Dependent>(targets: readonly T[]): T[] {
  const ordered: T[] = [];
  const done = new Set<string>();
  let waiting = targets;
  while (waiting.length > 0) {
    const ready = waiting.filter(({ dependsOn }) => dependsOn.every((dependency) => done.has(dependency)));
    if (ready.length === 0)
      throw new Error('the targets have a circular dependency; check `findCycles` first');
    ordered.push(...ready);
    for (const { name } of ready) done.add(name);
    waiting = waiting.filter(({ name }) => !done.has(name));
  }
  return ordered;
}

/** Returns circular dependencies, each as a path from the target declared first back to it; at least one if there are any. */
export function findCycles(targets: readonly Dependent[]): string[][] {
  const found: string[][] = [];
  const known = new Map(targets.map((target) => [target.name, target]));
  const left = new Set<string>();
  const follow = (name: string, path: readonly string[]): void => {
    const start = path.indexOf(name);
    if (start !== -1) found.push([...path.slice(start), name]);
    if (start !== -1 || left.has(name)) return;
    for (const next of known.get(name)?.dependsOn ?? []) follow(next, [...path, name]);
    left.add(name);
  };
  for (const { name } of targets) follow(name, []);
  return found;
}
