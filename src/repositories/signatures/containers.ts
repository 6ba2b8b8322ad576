import { accepting, mismatch, Text, within, type AnyCheck, type Check, type Problem } from './check.ts';

/** The check of each field of `T`. */
export type FieldChecks<T> = { readonly [Field in keyof T]-?: Check<T[Field]> };

/**
 * Returns the check of an object with these fields. It may have other fields, but not only others, as in TypeScript: `{ $ne: null }` is not a
 * request for a page.
 */
export function fields<T extends object>(checks: FieldChecks<T>): Check<T> {
  const check: AnyCheck = objectWith(Object.fromEntries(Object.entries<AnyCheck>(checks)));
  return check;
}

/** Returns the check of `fields` for checks whose types are declared elsewhere. */
export function objectWith(checks: Readonly<Record<string, AnyCheck>>): AnyCheck {
  const known = new Map(Object.entries(checks));
  return accepting({ kind: 'object', fields: checks }, (value) => {
    if (!isPlain(value)) return mismatch('an object', value);
    return problemIn(value, known) ?? onlyUnknownIn(value, known);
  });
}

/** Returns the check of a JSON document that is an object with these fields. Its other fields are checked when it is written. */
export function documentWith<T extends object>(checks: Readonly<Record<string, AnyCheck>>): Check<T> {
  const known = new Map(Object.entries(checks));
  return accepting({ kind: 'document', fields: checks }, (value) =>
    isPlain(value) ? problemIn(value, known) : mismatch('an object', value),
  );
}

/** Returns the check of a JSON document whose shape the method, or a flush, checks before it is sent (`InvalidJsonError`). */
export function document<T extends object>(): Check<T> {
  return accepting({ kind: 'document' }, () => undefined);
}

/** Returns the check of a JSON document that is an array of objects. Their shapes are checked when they are written. */
export function documentList<T extends readonly object[]>(): Check<T> {
  const item = accepting({ kind: 'document' }, (value) =>
    isPlain(value) ? undefined : mismatch('an object', value),
  );
  const check: AnyCheck = arrayOf(item);
  return check;
}

/** Returns the check of an object whose fields depend on its `status`. */
export function byStatus<T extends { readonly status: string }>(checks: {
  readonly [Status in T['status']]: Check<WithStatus<T, Status>>;
}): Check<T> {
  const known = new Map(Object.entries<AnyCheck>(checks));
  // Every status has its own fields; tests derive arguments from the last one.
  return accepting([...known.values()].at(-1)?.accepted ?? { kind: 'object' }, (value) => {
    if (!isPlain(value)) return mismatch('an object', value);
    const status: unknown = Reflect.get(value, 'status');
    const check = typeof status === 'string' ? known.get(status) : undefined;
    return check
      ? check(value)
      : within('.status', mismatch(`one of: ${[...known.keys()].join(', ')}`, status));
  });
}

type WithStatus<T, Status> = T extends { readonly status: infer Own }
  ? Status extends Own
    ? T
    : never
  : never;

/** Returns the check of an array whose items pass `check`. */
export function arrayOf<T>(check: Check<T>): Check<readonly T[]> {
  return accepting({ kind: 'list', items: [check] }, (value) => {
    if (!Array.isArray(value)) return mismatch('an array', value);
    // By index: iteration methods skip holes.
    for (let index = 0; index < value.length; index++) {
      const problem = check(value[index]);
      if (problem) return within(`[${index}]`, problem);
    }
    return undefined;
  });
}

/** Returns the check of an object with any keys, whose values pass `check`. */
export function recordOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return accepting({ kind: 'document', fields: { name: check } }, (value) => {
    if (!isPlain(value)) return mismatch('an object', value);
    for (const [name, item] of Object.entries(value)) {
      const problem = Text(name) ?? check(item);
      if (problem) return within(`[${JSON.stringify(name.slice(0, 50))}]`, problem);
    }
    return undefined;
  });
}

/** Returns whether a value is an object with fields: not an array, a date or a boxed primitive. */
export function isPlain(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]';
}

/** Returns the problem of an object whose fields are all unknown; undefined if it has a known field, or no field. */
export function onlyUnknownIn(value: object, known: ReadonlyMap<string, AnyCheck>): Problem | undefined {
  const [first, ...more] = Object.keys(value);
  if (first === undefined || [first, ...more].some((name) => known.has(name))) return undefined;
  const expected = [...known.keys()].join(', ');
  return { at: '', what: `has ${JSON.stringify(first.slice(0, 50))} but none of: ${expected}` };
}

/** Returns the problem of the first field that does not pass its check; undefined if there is no such field. */
export function problemIn(value: object, known: ReadonlyMap<string, AnyCheck>): Problem | undefined {
  for (const [name, check] of known) {
    const problem = check(Reflect.get(value, name));
    if (problem) return within(`.${name}`, problem);
  }
  return undefined;
}
