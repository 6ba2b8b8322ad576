export { confirmName } from './confirmation.ts';
export { isLocalDevelopmentDatabase } from './local-development-database.ts';
export { exitCodeOf, reportLostOutput } from '../terminal/failure.ts';
export type { CommandHost } from './host.ts';
export { migrateCommands } from './migrate-commands.ts';
export { dim, failurePrefix, print, printError, printJson, table } from '../terminal/output.ts';
export { hasLostOutput, writeTo } from '../terminal/standard-streams.ts';
export { throwOnExit } from '../terminal/throw-on-exit.ts';
export { UsageError } from '../terminal/usage-error.ts';
