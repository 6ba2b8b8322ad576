// Compiled by `tsc`, never run: what does not agree with a type is not one of its kinds.
import { ExplorationGoal, SimulationAttributes } from '../../src/entities.ts';
import { orNull, type Kind } from '../repositories/kinds.ts';

interface Model {
  readonly key: string;
  readonly at: Date | null;
  readonly status: 'active' | 'deleted';
  readonly goal: ExplorationGoal;
  readonly inner: { readonly flags: readonly boolean[] } | null;
  readonly totals: ReadonlyMap<string, number>;
}

const right: Kind<Model> = {
  key: 'string',
  at: 'date | null',
  status: 'string',
  goal: ExplorationGoal,
  inner: orNull({ flags: ['boolean'] }),
  totals: new Map([['string', 'number']]),
};
const { key: _, ...rest } = right;

// @ts-expect-error -- a field is missing
const short: Kind<Model> = rest;
// @ts-expect-error -- there is no such field
const long: Kind<Model> = { ...right, name: 'string' };
// @ts-expect-error -- it may be null
const neverNull: Kind<Model> = { ...right, at: 'date' };
// @ts-expect-error -- it is never null
const maybeNull: Kind<Model> = { ...right, key: 'string | null' };
// @ts-expect-error -- it is no number
const number: Kind<Model> = { ...right, status: 'number' };
// @ts-expect-error -- the shape of another document
const document: Kind<Model> = { ...right, goal: SimulationAttributes };
// @ts-expect-error -- the shape allows for null, the type does not
const documentOrNull: Kind<Model> = { ...right, goal: ExplorationGoal.nullable() };
// @ts-expect-error -- a field of what is within is missing
const inner: Kind<Model> = { ...right, inner: orNull({}) };
// @ts-expect-error -- the values are no texts
const map: Kind<Model> = { ...right, totals: new Map([['string', 'string']]) };
// @ts-expect-error -- what may be absent has no kind
const absent: Kind<{ readonly key?: string }> = { key: 'string' };
void [short, long, neverNull, maybeNull, number, document, documentOrNull, inner, map, absent];
