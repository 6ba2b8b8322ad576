export { loadRows } from './load-rows.ts';
export {
  loadModes,
  type LoadCounts,
  type LoadedRow,
  type LoadMode,
  type LoadOptions,
  type LoadPlan,
  type PlannedStatement,
} from './load-options.ts';
