import type { SettingValue } from './setting-definitions.ts';

/** Settings that the program gives, as options of `openDatabase`. Undefined ones come from the environment. */
export interface SettingsInput {
  readonly url?: string | undefined;
  readonly replicaUrls?: readonly string[] | undefined;
  readonly poolMode?: SettingValue<'poolMode'> | undefined;
  readonly namedStatements?: boolean | undefined;
  /** The size, and times in milliseconds. */
  readonly pool?:
    | { readonly [Key in 'max' | 'acquireTimeout' | 'idleTimeout' | 'maxLifetime']?: number | undefined }
    | undefined;
  /** Milliseconds. */
  readonly timeouts?:
    | { readonly [Key in 'statement' | 'lock' | 'idleInTransaction' | 'answer']?: number | undefined }
    | undefined;
  /** Bytes of WAL. */
  readonly maxReplicaLag?: number | undefined;
  /** Milliseconds. */
  readonly slowStatement?: number | undefined;
  /** Milliseconds. */
  readonly closeTimeout?: number | undefined;
  readonly logStatements?: boolean | undefined;
}

/** A value and its source: `argument`, the name of a variable (followed by ` (.env)` when the file set it), or `default`. */
export interface Resolved<Value> {
  readonly value: Value;
  readonly source: string;
}
