/** The command can't be run as it was given. */
export class UsageError extends Error {}
