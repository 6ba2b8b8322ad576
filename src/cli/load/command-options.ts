import type { EntityKey } from '@mikro-orm/postgresql';
import type { duplicateRules, LoadMode } from '../../loading/load/load-options.ts';
import type { FileOptions } from '../rows/file-options.ts';

/** The options of `synthdb load`. */
export interface LoadCommandOptions extends FileOptions {
  readonly entity: string;
  readonly mode: LoadMode;
  readonly key?: readonly EntityKey<object>[];
  readonly onDuplicate: (typeof duplicateRules)[number];
  readonly dryRun?: boolean;
  readonly json?: boolean;
}
