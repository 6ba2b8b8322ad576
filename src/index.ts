export {
  Database,
  type CloseOptions,
  type Positioned,
  type ReadOptions,
  type TransactOptions,
} from './database/database.ts';
export type {
  DatabaseHealth,
  HealthStatus,
  PoolHealth,
  SchemaHealth,
} from './database/health/database-health.ts';
export { openDatabase, type OpenDatabaseOptions } from './database/open-database.ts';
export type { TransactionSettings, TransactionTimeouts } from './postgres/client/local-settings.ts';
export type { DatabaseTimeouts } from './postgres/orm/orm-options.ts';
export type { PoolMode, PoolOptions } from './postgres/client/pool-options.ts';
export {
  withSynthLab,
  type ServiceConnection,
  type ServiceOptions,
} from './database/service-orm/with-synth-lab.ts';
export { toDataError } from './postgres/errors/translate-error.ts';
export type { ReplicaHealth } from './database/replicas/replica-set.ts';
export type { Logger } from './database/telemetry/logger.ts';
export type { TelemetryOptions } from './database/telemetry/telemetry.ts';
export { UnitOfWork, type ReadingUnitOfWork } from './database/units/unit-of-work.ts';
export * from './errors.ts';
export { isDataError, type AnyDataError } from './is-data-error.ts';
export type {
  CursorPage,
  CursorRequest,
  Page,
  PageRequest,
  PageTotal,
  RowStream,
  StreamRequest,
} from './repositories/index.ts';
export type { EntityManager } from '@mikro-orm/postgresql';
