export { Database } from './database/database.ts';
export { openDatabase, type OpenDatabaseOptions } from './database/open-database.ts';
export type { PoolOptions } from './database/orm-options.ts';
export { UnitOfWork } from './database/unit-of-work.ts';
export * from './errors.ts';
export type { EntityManager } from '@mikro-orm/postgresql';
