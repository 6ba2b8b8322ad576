export { confirmName } from './confirmation.ts';
export { isDevelopmentDatabase } from './development-database.ts';
export { exitCodeOf, reportLostOutput } from './failure.ts';
export type { CommandHost } from './host.ts';
export { migrateCommands } from './migrate-commands.ts';
export { dim, failurePrefix, print, printError, printJson, table } from './output.ts';
export { hasLostOutput, writeTo } from './standard-streams.ts';
export { throwing } from './throwing.ts';
export { UsageError } from './usage-error.ts';
