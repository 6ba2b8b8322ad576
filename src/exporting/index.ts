export { exportTables } from './export-tables.ts';
export { formatRows } from './format-rows.ts';
export {
  exportFormats,
  type ExportCounts,
  type ExportedTable,
  type ExportFormat,
  type ExportOptions,
} from './export-options.ts';
