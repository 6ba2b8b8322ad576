import type { EntitySchemaWithMeta, InferKyselyDB } from '@mikro-orm/postgresql';
import type * as entities from '../entities.ts';

type Schema = Extract<(typeof entities)[keyof typeof entities], EntitySchemaWithMeta>;
type Stored = InferKyselyDB<Schema>;

/** The rows of each table, by column name, with times as `Date`. Derived from the entities. */
export type Values = {
  [Table in keyof Stored]: { [Column in keyof Stored[Table]]: Selected<Stored[Table][Column]> };
};

/** The rows of each table as the driver returns them: with times as text. */
export type Tables = {
  [Table in keyof Values]: { [Column in keyof Values[Table]]: Wire<Values[Table][Column]> };
};

type Selected<Value> = Value extends { readonly __select__: infer Inner } ? Selected<Inner> : Value;
type Wire<Value> = Value extends Date ? string : Value;
