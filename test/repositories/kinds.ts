import { z } from 'zod';
import type { CursorPage, Page } from '../../src/repositories/index.ts';

type Scalar = 'string' | 'number' | 'bigint' | 'boolean' | 'date' | 'error';

type ScalarOf<Value> = [Value] extends [string]
  ? 'string'
  : [Value] extends [number]
    ? 'number'
    : [Value] extends [bigint]
      ? 'bigint'
      : [Value] extends [boolean]
        ? 'boolean'
        : [Value] extends [Date]
          ? 'date'
          : [Value] extends [Error]
            ? 'error'
            : never;

/**
 * What there is of a type at run time, to be written down by hand: the kind of a scalar, the kinds of an object's fields, `[kind]` for
 * an array, a `Set` or a `Map` of kinds, and for a JSON document, whose keys are open, its shape. A field too many, too few or of
 * another type does not compile. A value that may be absent has no kind.
 */
export type Kind<Value> = undefined extends Value
  ? never
  : string extends keyof NonNullable<Value>
    ? z.ZodType<Value>
    : [null] extends [Value]
      ? [ScalarOf<NonNullable<Value>>] extends [never]
        ? OrNull<Kind<NonNullable<Value>>>
        : `${ScalarOf<NonNullable<Value>>} | null`
      : [ScalarOf<Value>] extends [never]
        ? Structure<Value>
        : ScalarOf<Value>;

type Structure<Value> = [Value] extends [readonly (infer Item)[]]
  ? readonly [Kind<Item>]
  : // Before sets: a map has all that a set has.
    [Value] extends [ReadonlyMap<infer Key, infer Item>]
    ? ReadonlyMap<Kind<Key>, Kind<Item>>
    : [Value] extends [ReadonlySet<infer Item>]
      ? ReadonlySet<Kind<Item>>
      : // Of several objects the fields that all have, each of all types that it has: not one after the other.
        { readonly [Field in Exclude<keyof Value, symbol>]: Kind<Value[Field]> };

/** An object or a collection, or null. */
export class OrNull<Of> {
  readonly of: Of;

  constructor(of: Of) {
    this.of = of;
  }
}

export function orNull<const Of>(of: Of): OrNull<Of> {
  return new OrNull(of);
}

type Listed<List, Row> = Omit<Kind<List>, 'data'> & { readonly data: readonly [Row] };

/** A page of rows of this kind. */
export function pageOf<Row>(row: Row): Listed<Page<string>, Row> {
  return {
    data: [row],
    pagination: { total: 'number', limit: 'number', offset: 'number', hasNext: 'boolean' },
  };
}

/** A cursor page of rows of this kind. */
export function cursorPageOf<Row>(row: Row): Listed<CursorPage<string>, Row> {
  return { data: [row], pagination: { endCursor: 'string | null', hasNextPage: 'boolean' } };
}

type Whole<Part> =
  | readonly Part[]
  | ReadonlySet<Part>
  | ReadonlyMap<Part, Part>
  | { readonly [field: string]: Part };

/** A kind of whatever type. */
export type AnyKind =
  | Scalar
  | `${Scalar} | null`
  | z.ZodType
  | OrNull<AnyKind>
  | readonly AnyKind[]
  | ReadonlySet<AnyKind>
  | ReadonlyMap<AnyKind, AnyKind>
  | { readonly [field: string]: AnyKind };

/** What is seen of a value of this kind, by its path, once every part of it was met, and as null too what may be null. */
export function sightingsOf(kind: AnyKind, path = ''): string[] {
  if (typeof kind === 'string') return kind.split(' | ').map((name) => `${path}: ${name}`);
  if (kind instanceof z.ZodNullable) return [`${path}: document`, `${path}: null`];
  if (kind instanceof z.ZodType) return [`${path}: document`];
  if (kind instanceof OrNull) return [`${path}: null`, ...sightingsOf(kind.of, path)];
  return partsOf(kind).flatMap(([part, of]) => sightingsOf(of, path + part));
}

/** What is seen of a value. Whatever in it is not of this kind is none of `sightingsOf(kind)`. */
export function sightingsIn(kind: AnyKind, value: unknown, path = ''): string[] {
  if (typeof kind === 'string') return [`${path}: ${nameOf(value)}`];
  if (kind instanceof z.ZodType) {
    if (!kind.safeParse(value).success) return [`${path}: out of shape`];
    return [`${path}: ${value === null ? 'null' : 'document'}`];
  }
  if (kind instanceof OrNull) return value === null ? [`${path}: null`] : sightingsIn(kind.of, value, path);
  if (!isWhole(value) || nameOf(value) !== nameOf(kind)) return [`${path}: ${nameOf(value)}`];
  const kinds = new Map(partsOf(kind));
  const values = partsOf(value);
  const there = new Set(values.map(([part]) => part));
  const absent = [...kinds.keys()].filter((part) => part.startsWith('.') && !there.has(part));
  return [
    ...absent.map((part) => `${path}${part}: absent`),
    ...values.flatMap(([part, found]) => {
      const of = kinds.get(part);
      return of === undefined ? [`${path}${part}: surplus`] : sightingsIn(of, found, path + part);
    }),
  ];
}

/** The parts of a whole, each with its step on the path to it. */
function partsOf<Part>(whole: Whole<Part>): (readonly [string, Part])[] {
  if (isArray(whole)) return whole.map((item) => ['[]', item]);
  if (whole instanceof Set) return [...whole].map((item) => ['[]', item]);
  if (whole instanceof Map) {
    return [...whole].flatMap(([key, item]) => [['[key]', key] as const, ['[]', item] as const]);
  }
  return Object.entries(whole).map(([field, found]) => [`.${field}`, found]);
}

function isArray<Part>(whole: Whole<Part>): whole is readonly Part[] {
  return Array.isArray(whole);
}

function isWhole(value: unknown): value is Whole<unknown> {
  return typeof value === 'object' && value !== null;
}

/** What a value is; of what is no plain object, the name of its class. */
function nameOf(value: unknown): string {
  if (value === null) return 'null';
  if (Number.isNaN(value instanceof Date ? value.getTime() : value)) return 'not a number';
  if (value instanceof Date) return 'date';
  if (value instanceof Error) return 'error';
  if (typeof value !== 'object') return typeof value;
  return value.constructor.name;
}
