import { accepting, isNot, Text, within, type AnyCheck, type Check, type Problem } from './check.ts';

/** A check for each field of `T`, and for no other. */
export type FieldChecks<T> = { readonly [Field in keyof T]-?: Check<T[Field]> };

/**
 * An object with these fields. It may have others, as in TypeScript, and as there they can't be all that it has: `{ $ne: null }` is no
 * request for a page.
 */
export function fields<T extends object>(checks: FieldChecks<T>): Check<T> {
  const known = new Map(Object.entries<AnyCheck>(checks));
  return accepting({ kind: 'object', fields: Object.fromEntries(known) }, (value) => {
    if (!isPlain(value)) return isNot('an object', value);
    return problemIn(value, known) ?? onlyUnknownIn(value, known);
  });
}

/** A JSON document that is an object and has these fields among others, which are checked when they are written. */
export function documentWith<T extends object>(checks: Readonly<Record<string, AnyCheck>>): Check<T> {
  const known = new Map(Object.entries(checks));
  return accepting({ kind: 'document', fields: checks }, (value) =>
    isPlain(value) ? problemIn(value, known) : isNot('an object', value),
  );
}

/** A JSON document that the method, or a flush, checks against its shape before it is sent (`InvalidJsonError`). */
export function document<T extends object>(): Check<T> {
  return accepting({ kind: 'document' }, () => undefined);
}

/** A JSON document that is an array of objects, whose shape is checked when they are written. */
export function documentList<T extends readonly object[]>(): Check<T> {
  const item = accepting({ kind: 'document' }, (value) =>
    isPlain(value) ? undefined : isNot('an object', value),
  );
  const check: AnyCheck = arrayOf(item);
  return check;
}

/** An object that is checked by the check for its status. */
export function byStatus<T extends { readonly status: string }>(checks: {
  readonly [Status in T['status']]: Check<WithStatus<T, Status>>;
}): Check<T> {
  const known = new Map(Object.entries<AnyCheck>(checks));
  // Each has fields of its own; the last is what tests are shown.
  return accepting([...known.values()].at(-1)?.accepted ?? { kind: 'object' }, (value) => {
    if (!isPlain(value)) return isNot('an object', value);
    const status: unknown = Reflect.get(value, 'status');
    const check = typeof status === 'string' ? known.get(status) : undefined;
    return check ? check(value) : within('.status', isNot(`one of: ${[...known.keys()].join(', ')}`, status));
  });
}

type WithStatus<T, Status> = T extends { readonly status: infer Own }
  ? Status extends Own
    ? T
    : never
  : never;

/** An array whose every item passes `check`. */
export function arrayOf<T>(check: Check<T>): Check<readonly T[]> {
  return accepting({ kind: 'list', items: [check] }, (value) => {
    if (!Array.isArray(value)) return isNot('an array', value);
    // By index: a hole in an array is skipped otherwise.
    for (let index = 0; index < value.length; index++) {
      const problem = check(value[index]);
      if (problem) return within(`[${index}]`, problem);
    }
    return undefined;
  });
}

/** An object whose names are texts of the caller, and whose every value passes `check`. */
export function recordOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return accepting({ kind: 'document', fields: { name: check } }, (value) => {
    if (!isPlain(value)) return isNot('an object', value);
    for (const [name, item] of Object.entries(value)) {
      const problem = Text(name) ?? check(item);
      if (problem) return within(`[${JSON.stringify(name.slice(0, 50))}]`, problem);
    }
    return undefined;
  });
}

/** An object that holds fields: no array, and none that stands for a single value, as a date or a boxed text does. */
export function isPlain(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** The problem of an object that has fields, and none of those that are known. */
export function onlyUnknownIn(value: object, known: ReadonlyMap<string, AnyCheck>): Problem | undefined {
  const [first, ...more] = Object.keys(value);
  if (first === undefined || [first, ...more].some((name) => known.has(name))) return undefined;
  const expected = [...known.keys()].join(', ');
  return { at: '', what: `has ${JSON.stringify(first.slice(0, 50))} but none of: ${expected}` };
}

/** The problem of a field that does not pass its check. */
export function problemIn(value: object, known: ReadonlyMap<string, AnyCheck>): Problem | undefined {
  for (const [name, check] of known) {
    const problem = check(Reflect.get(value, name));
    if (problem) return within(`.${name}`, problem);
  }
  return undefined;
}
