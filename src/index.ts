export { Database, type CloseOptions, type ReadOptions, type TransactOptions } from './database/database.ts';
export { openDatabase, type OpenDatabaseOptions } from './database/open-database.ts';
export type { PoolOptions, TimeoutOptions } from './database/orm-options.ts';
export { UnitOfWork, type ReadingUnitOfWork } from './database/unit-of-work.ts';
export * from './errors.ts';
export type { Page, PageRequest, Stretch, StretchRequest } from './repositories/index.ts';
export type { EntityManager } from '@mikro-orm/postgresql';
