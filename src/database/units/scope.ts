import { AsyncLocalStorage } from 'node:async_hooks';
import type { UnitGate } from './unit-gate.ts';

/** The unit of work that code runs for, and as what: the work of an inner unit, a call of a unit, or the beginning or end of a unit. */
interface Scope {
  readonly gate: UnitGate;
  readonly as: 'work' | 'call' | 'end';
  /** Where the code was called from. */
  readonly from: Scope | undefined;
}

const scopes = new AsyncLocalStorage<Scope>();

/** Runs `work` in a scope of its own, which all that it starts is in. */
export function runAs<T>(as: Scope['as'], gate: UnitGate, work: () => T): T {
  return scopes.run({ gate, as, from: scopes.getStore() }, work);
}

/** The unit of `root` whose call, beginning or end the current code is part of; undefined when it is none. */
export function runningPart(root: UnitGate): UnitGate | undefined {
  for (let scope = scopes.getStore(); scope; scope = scope.from)
    if (scope.gate.root === root) return scope.as === 'work' ? undefined : scope.gate;
  return undefined;
}

/** Whether the current code is inside `gate`: in its scope, or in that of a unit within it. */
export function isInside(gate: UnitGate): boolean {
  for (let scope = scopes.getStore(); scope; scope = scope.from) if (isWithin(scope.gate, gate)) return true;
  return false;
}

/** Whether the current code begins or ends `gate`, or a unit within it. */
export function isEnding(gate: UnitGate): boolean {
  const scope = scopes.getStore();
  return scope?.as === 'end' && isWithin(scope.gate, gate);
}

function isWithin(inner: UnitGate, gate: UnitGate): boolean {
  for (let at: UnitGate | undefined = inner; at; at = at.parent) if (at === gate) return true;
  return false;
}
