export {
  EmbeddedPostgres,
  type EmbeddedPostgresLocation,
  type EmbeddedPostgresOptions,
} from './embedded-postgres.ts';
export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors.ts';
export { fetchBinaries } from './fetch-binaries.ts';
export type { Binaries } from './binaries.ts';
