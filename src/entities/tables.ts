import type { EntitySchemaWithMeta, InferKyselyDB } from '@mikro-orm/postgresql';
import type * as entities from './index.ts';

type Schema = Extract<(typeof entities)[keyof typeof entities], EntitySchemaWithMeta>;
type Stored = InferKyselyDB<Schema>;

/** The rows of each table as the driver returns them: by column name, times as text. Derived from the entities' definitions. */
export type Tables = {
  [Table in keyof Stored]: { [Column in keyof Stored[Table]]: Wire<Stored[Table][Column]> };
};

type Wire<Value> = Value extends { readonly __select__: infer Selected }
  ? Wire<Selected>
  : Value extends Date
    ? string
    : Value;
