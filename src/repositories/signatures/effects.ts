import type { AnyCheck, Check } from './check.ts';

/**
 * The effect of a method: it `reads` rows, `streams` rows as they are consumed, `locks` rows to the end of the transaction, `stages` a change
 * for the next flush, or `writes` by a statement of its method. Only a method that reads or streams may be called outside a transaction.
 */
export type Effect = 'reads' | 'streams' | 'locks' | 'stages' | 'writes';

/** A parameter: its name and its check. */
type Parameter<T> = Readonly<Record<string, Check<T>>>;

/** The parameters of a method, by the types of its arguments. */
export type ParametersOf<Arguments extends readonly unknown[]> = {
  readonly [Position in keyof Arguments]-?: Parameter<Arguments[Position]>;
};

type AnyParameters = readonly Readonly<Record<string, AnyCheck>>[];

/** The signature of a method: its effect and its parameters. */
export interface Signature<
  Checked = AnyParameters,
  Has extends Effect = Effect,
  Synchronous extends boolean = boolean,
> {
  readonly effect: Has;
  readonly parameters: Checked;
  /** Whether it returns no promise. Such a method throws errors of its arguments; the others reject with them. */
  readonly synchronous: Synchronous;
}

/** Declares the parameters of a method that only reads. */
export const reads = withEffect('reads');
/** Declares the parameters of a method that locks rows. */
export const locks = withEffect('locks');
/** Declares the parameters of a method that stages a change for the next flush. */
export const stages = withEffect('stages');
/** Declares the parameters of a method that writes by a statement. */
export const writes = withEffect('writes');

/** Declares the parameters of a method that returns a stream of rows. */
export function streams<Checked extends AnyParameters>(
  ...parameters: Checked
): Signature<Checked, 'streams', true> {
  return { effect: 'streams', parameters, synchronous: true };
}

/** Declares that a method returns no promise. */
export function synchronous<Checked, Has extends Effect>({
  effect,
  parameters,
}: Signature<Checked, Has>): Signature<Checked, Has, true> {
  return { effect, parameters, synchronous: true };
}

function withEffect<Has extends Effect>(effect: Has) {
  return <Checked extends AnyParameters>(...parameters: Checked): Signature<Checked, Has, false> => ({
    effect,
    parameters,
    synchronous: false,
  });
}
