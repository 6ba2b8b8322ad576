export {
  EmbeddedPostgres,
  type EmbeddedPostgresLocation,
  type EmbeddedPostgresOptions,
} from './embedded-postgres.ts';
export { EmbeddedPostgresError, type EmbeddedPostgresErrorCode } from './errors/embedded-postgres-error.ts';
