import type { DataError } from '../errors.ts';

/**
 * A statement that our side does not send, for the reason in `cause`. The ORM copies an error that it is thrown, and keeps of ours its
 * cause alone; `toDataError` returns that.
 */
export class RefusedStatement extends Error {
  declare readonly cause: DataError;

  constructor(reason: DataError) {
    super(reason.message, { cause: reason });
  }
}
