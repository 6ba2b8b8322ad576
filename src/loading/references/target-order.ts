interface Dependent {
  readonly name: string;
  readonly dependsOn: readonly string[];
}

/** In an order in which each comes after what it depends on: those that depend on nothing first, else as they were declared. */
export function inOrder<T extends Dependent>(targets: readonly T[]): T[] {
  const ordered: T[] = [];
  const done = new Set<string>();
  let waiting = targets;
  while (waiting.length > 0) {
    const ready = waiting.filter(({ dependsOn }) => dependsOn.every((one) => done.has(one)));
    if (ready.length === 0) throw new Error('the targets depend on each other, which was to be found before');
    ordered.push(...ready);
    for (const { name } of ready) done.add(name);
    waiting = waiting.filter(({ name }) => !done.has(name));
  }
  return ordered;
}

/** Ways on which targets depend on themselves, each from the one declared first back to it. At least one where there are any. */
export function cycles(targets: readonly Dependent[]): string[][] {
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
