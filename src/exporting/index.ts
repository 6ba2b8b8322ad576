export { exportTables } from './export-tables.ts';
export {
  exportFormats,
  type ExportCounts,
  type ExportedTable,
  type ExportFormat,
  type ExportOptions,
} from './export-options.ts';
