import { AsyncLocalStorage } from 'node:async_hooks';

/** A unit of work, and the one that it is an inner unit of. */
interface Nested<Unit> {
  readonly root: Unit;
  readonly parent: Unit | undefined;
}

/** The unit of work that code runs for: as the work of an inner unit, as a call of a unit, or as the beginning or end of a unit. */
interface Scope<Unit> {
  readonly unit: Unit;
  readonly as: 'work' | 'call' | 'end';
  /** The name of the call; undefined for the work of a unit. */
  readonly name: string | undefined;
  /** The scope of the code that started it. */
  readonly from: Scope<Unit> | undefined;
}

/** Tracks which unit of work the current asynchronous code belongs to. */
export class Scopes<Unit extends Nested<Unit>> {
  readonly #current = new AsyncLocalStorage<Scope<Unit>>();

  /** Runs `work`, and all that it starts, in a new scope. */
  run<T>(as: Scope<Unit>['as'], unit: Unit, work: () => T, name?: string): T {
    return this.#current.run({ unit, as, name, from: this.#current.getStore() }, work);
  }

  /** The name of the call that the current code is part of; undefined when it is part of none. */
  get callName(): string | undefined {
    return this.#current.getStore()?.name;
  }

  /** Returns the unit below `root` whose call, beginning or end the current code is part of; undefined when it is part of none. */
  runningPart(root: Unit): Unit | undefined {
    for (let scope = this.#current.getStore(); scope; scope = scope.from)
      if (scope.unit.root === root) return scope.as === 'work' ? undefined : scope.unit;
    return undefined;
  }

  /** Returns whether the current code runs for `unit`, or for a unit within it. */
  isInside(unit: Unit): boolean {
    for (let scope = this.#current.getStore(); scope; scope = scope.from)
      if (isWithin(scope.unit, unit)) return true;
    return false;
  }

  /** Returns whether the current code begins or ends `unit`, or a unit within it. */
  isEnding(unit: Unit): boolean {
    const scope = this.#current.getStore();
    return scope?.as === 'end' && isWithin(scope.unit, unit);
  }
}

function isWithin<Unit extends Nested<Unit>>(inner: Unit, outer: Unit): boolean {
  for (let at: Unit | undefined = inner; at; at = at.parent) if (at === outer) return true;
  return false;
}
