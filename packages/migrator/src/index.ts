export {
  describeDifference,
  describeDrift,
  describeEntityDifference,
  type Difference,
} from './catalog/differences.ts';
export { describeLeftOut, type LeftOut } from './catalog/server-guard.ts';
export type { CheckResult } from './check.ts';
export { createMigration, type CreatedMigration, type CreationWarning } from './create-migration.ts';
export { squashMigrations, type Squash, type SquashRequest } from './squash-migrations.ts';
export type { CreateOptions } from './create-options.ts';
export type { Decisions, Rename } from './create/decisions.ts';
export { UndecidedDropsError, type UndecidedDrop } from './create/undecided.ts';
export type { SchemaDrift } from './drift/find-drift.ts';
export { summarizeDrift } from './drift/summarize-drift.ts';
export { backfill, type BackfillUpdate } from './files/backfill.ts';
export { standalone } from './files/standalone.ts';
export { park, unpark, type UnparkOptions } from './parking/park.ts';
export type { ParkedObject } from './parking/parked-objects.ts';
export type { ReplacedColumn } from './rename-column/replaced-columns.ts';
export type { StandaloneOptions } from './sql/marks/standalone-mark.ts';
export type { DownLosses } from './losses/down-losses.ts';
export type { Direction } from './files/code-migration.ts';
export type { MigrationSettings } from './files/migration-settings.ts';
export { MigratorError, MigrationRefusedError, type MigratorErrorCode } from './session/errors.ts';
export { migrationGap, type MigrationGap } from './ledger/pending.ts';
export { Migrator, type PlanBasis } from './migrator.ts';
export { comparisonSettings, type ComparisonOptions } from './comparison-options.ts';
export type {
  Blocks,
  Finding,
  Held,
  LintReport,
  NotLinted,
  SilencedFinding,
} from './lint/observation/finding.ts';
export type { MeasuredLock, MeasuredStatement, Measurement } from './measure/measurement.ts';
export type { FilledTable } from './rows/multiply.ts';
export type {
  Forecast,
  ForecastLock,
  ForecastRequest,
  ForecastStatement,
  ForecastTable,
} from './forecast/forecast.ts';
export type { LintRequest } from './lint/lint.ts';
export type { MigratorOptions } from './migrator-options.ts';
export type { MigrationRun } from './run/runner.ts';
export type { PlannedMigration } from './plan/plan.ts';
export type { Precheck, PrecheckKind } from './prechecks/rows/precheck.ts';
export type { Blocker, MigrationEvent } from './run/context/migration-event.ts';
export type { HistoryAction, HistoryItem, RepairAction } from './ledger/history.ts';
export type { RepairRequest } from './repair.ts';
export type { DownRequest, UpRequest } from './ledger/requests.ts';
export type { MigrationCondition, MigrationStatus } from './ledger/status.ts';
export type { Certificate, SchemaChange, VerifiedEffect } from './verify/certificate.ts';
export type { DirectionTraffic, TrafficFailure, TrafficReport } from './verify/traffic-report.ts';
export type { OpenWorkload, Workload } from './traffic/sending/workload.ts';
export type { TrafficWorkloads, VerifyProgress, VerifyRequest } from './verify/verify.ts';
