import type { Difference } from '../catalog/differences.ts';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import type { Harvest } from '../rows/harvest.ts';
import type { LearnedValues, Pools } from '../rows/pools.ts';
import type { RowValues } from '../rows/row.ts';
import type { TableCatalog } from '../rows/tables.ts';
import type { Workspace } from './workspace.ts';

/** A scratch database in the state before a migration, and what was learned on it. */
export interface VerificationContext {
  readonly workspace: Workspace;
  /** The migrator's schema. */
  readonly schema: string;
  readonly log: string;
  readonly ignored: IgnoredObjects;
  readonly learned: LearnedValues;
  readonly templates: Map<string, RowValues>;
  /** Called when a set of rows begins. */
  readonly report: (step: string) => void;
}

/** The schema on both sides of a migration. */
export interface Sides {
  readonly before: TableCatalog;
  readonly after: TableCatalog;
  readonly changes: readonly Difference[];
  /** Whether `down` succeeds without rows. */
  isReversible: boolean;
  /** Whether `up` can run again after `down`, without rows. */
  isRepeatable: boolean;
  readonly harvest: Harvest;
  /** The values of each side, once they are known. */
  readonly pools: Map<TableCatalog, Pools>;
}
