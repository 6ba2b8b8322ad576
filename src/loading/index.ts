export { loadRows } from './load/load-rows.ts';
export {
  loadModes,
  type LoadCounts,
  type LoadedRow,
  type LoadMode,
  type LoadOptions,
  type LoadPlan,
  type PlannedStatement,
} from './load/load-options.ts';
export { planLoad } from './load/plan-load.ts';
export type { BackfilledTarget, BackfillPlan, BackfillResult } from './references/backfill-result.ts';
export { backfillReferences, type BackfillOptions } from './references/backfill-references.ts';
export { planBackfill } from './references/plan-backfill.ts';
export { BackfillConfig } from './references/backfill-config.ts';
