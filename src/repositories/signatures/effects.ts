import type { AnyCheck, Check } from './check.ts';

/**
 * What a method does. It `reads` rows; `locks` rows to the end of the transaction; `stages` a change that the next flush writes; or
 * `writes` now, by a statement of its own. Only what reads may be called outside a transaction.
 */
export type Effect = 'reads' | 'locks' | 'stages' | 'writes';

/** An argument: its name and what it may be. */
type Argument<T> = Readonly<Record<string, Check<T>>>;

export type Arguments<Given extends readonly unknown[]> = {
  readonly [Position in keyof Given]-?: Argument<Given[Position]>;
};

type AnyArguments = readonly Readonly<Record<string, AnyCheck>>[];

/** The signature of a method: its effect and its arguments. */
export interface Signature<
  Given = AnyArguments,
  Has extends Effect = Effect,
  Synchronous extends boolean = boolean,
> {
  readonly effect: Has;
  readonly given: Given;
  /** Whether it returns no promise. Such a method throws a refusal, others reject with it. */
  readonly synchronous: Synchronous;
}

/** Declares the arguments of a method that only reads. */
export const reads = withEffect('reads');
/** Declares the arguments of a method that locks rows. */
export const locks = withEffect('locks');
/** Declares the arguments of a method that stages a change for the next flush. */
export const stages = withEffect('stages');
/** Declares the arguments of a method that writes by a statement of its own. */
export const writes = withEffect('writes');

/** Declares that a method returns no promise. */
export function synchronous<Given, Has extends Effect>({
  effect,
  given,
}: Signature<Given, Has>): Signature<Given, Has, true> {
  return { effect, given, synchronous: true };
}

function withEffect<Has extends Effect>(effect: Has) {
  return <Given extends AnyArguments>(...given: Given): Signature<Given, Has, false> => ({
    effect,
    given,
    synchronous: false,
  });
}
