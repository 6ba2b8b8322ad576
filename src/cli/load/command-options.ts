import type { EntityKey } from '@mikro-orm/postgresql';
import type { duplicateRules, LoadMode } from '../../loading/load/load-options.ts';
import type { Format } from './source.ts';

/** The options of `synthdb load`. */
export interface LoadCommandOptions {
  readonly entity: string;
  readonly mode: LoadMode;
  readonly key?: readonly EntityKey<object>[];
  readonly onDuplicate: (typeof duplicateRules)[number];
  readonly format?: Format;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
