/** An argument, or a field of one, that may also be what `or` says. */
class Sample {
  readonly of: unknown;
  readonly or: null | undefined;

  constructor(of: unknown, or: null | undefined) {
    this.of = of;
    this.or = or;
  }
}

/** A text out of a closed set. */
export class Word {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** A JSON document, which is checked against its shape. */
export class Doc {
  readonly document: object;

  constructor(document: object) {
    this.document = document;
  }
}

export interface OrAbsent<Of> extends Sample {
  readonly of: Of;
  readonly or: undefined;
}

export interface OrNull<Of> extends Sample {
  readonly of: Of;
  readonly or: null;
}

/**
 * What a value of this type is called with, to be written by hand: every field of it, and of what is optional, nullable, out of a
 * closed set or a document, that it is.
 */
export type SampleOf<T> = undefined extends T
  ? OrAbsent<SampleOf<Exclude<T, undefined>>>
  : null extends T
    ? OrNull<SampleOf<Exclude<T, null>>>
    : [T] extends [string]
      ? string extends T
        ? string
        : Word
      : [T] extends [number | Date]
        ? T
        : string extends keyof T
          ? Doc
          : [T] extends [readonly (infer Item)[]]
            ? readonly [SampleOf<Item>, ...SampleOf<Item>[]]
            : { readonly [Field in keyof T]-?: SampleOf<T[Field]> };

export function orAbsent<const Of>(of: Of): OrAbsent<Of> {
  return new Sample(of, undefined) as OrAbsent<Of>; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it is given both
}

export function orNull<const Of>(of: Of): OrNull<Of> {
  return new Sample(of, null) as OrNull<Of>; // oxlint-disable-line typescript/no-unsafe-type-assertion -- it is given both
}

export function word(of: string): Word {
  return new Word(of);
}

export function doc(of: object = {}): Doc {
  return new Doc(of);
}

/** The value that a sample stands for, and each place in it, with what that place may be. */
export interface Place {
  /** The indexes and fields that lead to it. */
  readonly path: readonly (string | number)[];
  readonly kind: 'text' | 'word' | 'number' | 'date' | 'document' | 'array' | 'object';
  readonly nullable: boolean;
  readonly optional: boolean;
}

export function valueOf(sample: unknown): unknown {
  if (sample instanceof Sample) return valueOf(sample.of);
  if (sample instanceof Word) return sample.text;
  if (sample instanceof Doc) return sample.document;
  if (sample instanceof Date || typeof sample !== 'object' || sample === null) return sample;
  if (Array.isArray(sample)) return sample.map(valueOf);
  return Object.fromEntries(Object.entries(sample).map(([name, part]) => [name, valueOf(part)]));
}

export function placesOf(sample: unknown, path: Place['path'] = [], or: readonly unknown[] = []): Place[] {
  if (sample instanceof Sample) return placesOf(sample.of, path, [...or, sample.or]);
  const place = (kind: Place['kind']): Place => {
    return { path, kind, nullable: or.includes(null), optional: or.includes(undefined) };
  };
  if (sample instanceof Word) return [place('word')];
  if (sample instanceof Doc) return [place('document')];
  if (sample instanceof Date) return [place('date')];
  if (typeof sample === 'string') return [place('text')];
  if (typeof sample === 'number') return [place('number')];
  if (Array.isArray(sample)) {
    return [place('array'), ...sample.flatMap((item, index) => placesOf(item, [...path, index]))];
  }
  const parts = Object.entries<unknown>(Object(sample)).flatMap(([name, part]) =>
    placesOf(part, [...path, name]),
  );
  return [place('object'), ...parts];
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
