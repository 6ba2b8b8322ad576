import type { AnyCheck } from '../../src/repositories/signatures/check.ts';
import type { Signature } from '../../src/repositories/signatures/index.ts';

type Accepted = NonNullable<AnyCheck['accepted']>;

/** A place in the arguments of a method, and what it accepts. */
export interface Place {
  /** The indexes and fields that lead to it. */
  readonly path: readonly (string | number)[];
  readonly kind: Accepted['kind'];
  readonly nullable: boolean;
  readonly optional: boolean;
}

/** The check of each argument of a method, by the argument's name. */
export function parametersOf({ parameters }: Signature): [name: string, check: AnyCheck][] {
  return parameters.flatMap((parameter) => Object.entries(parameter));
}

/** Valid arguments for a method, with every field of every object. */
export function validArguments(signature: Signature): unknown[] {
  return parametersOf(signature).map(([, check]) => sampleOf(check));
}

/** Returns a value that a check accepts, with every field, whether optional or not. */
export function sampleOf(check: AnyCheck): unknown {
  const { kind, words = [], items = [], fields = {} } = acceptedBy(check);
  if (kind === 'text') return 'sample';
  if (kind === 'word') return words[0];
  if (kind === 'number') return 1;
  if (kind === 'date') return new Date();
  if (kind === 'list') return items.map(sampleOf);
  return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, sampleOf(field)]));
}

/** Every place in the arguments of a method. What is within a document is checked against its shape, and is no place. */
export function placesOf(signature: Signature): Place[] {
  return parametersOf(signature).flatMap(([, check], position) => placesIn(check, [position]));
}

function placesIn(check: AnyCheck, path: Place['path']): Place[] {
  const { kind, nullable = false, optional = false, items = [], fields = {} } = acceptedBy(check);
  const parts = kind === 'list' ? [...items.entries()] : kind === 'object' ? Object.entries(fields) : [];
  return [
    { path, kind, nullable, optional },
    ...parts.flatMap(([step, part]) => placesIn(part, [...path, step])),
  ];
}

function acceptedBy(check: AnyCheck): Accepted {
  if (!check.accepted)
    throw new Error(`a check lacks what it accepts: make it by \`accepting\`: ${String(check)}`);
  return check.accepted;
}

/** The arguments with another value in one place. */
export function withValue(given: unknown, [step, ...rest]: Place['path'], value: unknown): unknown {
  if (step === undefined) return value;
  if (Array.isArray(given)) return given.with(Number(step), withValue(given[Number(step)], rest, value));
  return { ...Object(given), [step]: withValue(Reflect.get(Object(given), step), rest, value) };
}

/** What a caller without types may pass. */
export function untyped(value: unknown): never {
  return value as never; // oxlint-disable-line typescript/no-unsafe-type-assertion -- that is what it is for
}
