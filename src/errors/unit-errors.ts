import { DataError } from './data-error.ts';

/**
 * A repository, `em`, a Kysely handle, a stream, a fork or an inner unit was used after its unit of work had ended. Nothing was sent.
 * Await all calls before `work` returns.
 */
export class UnitOfWorkEndedError extends DataError {
  readonly code = 'unit_ended';

  constructor(what: string) {
    super(`${what}: the unit of work has ended; await its calls before \`work\` returns`);
  }
}

/** A unit of work was used while an inner one runs, or while a stream is open. Nothing was sent. Await the other first. */
export class ConcurrentUseError extends DataError {
  readonly code = 'concurrent_use';
}

/** `work` returned before calls of its unit of work had ended. `calls` has their names. Nothing was committed. Await each of them. */
export class UnfinishedWorkError extends DataError {
  readonly code = 'unfinished_work';
  readonly calls: readonly string[];

  constructor(calls: readonly string[]) {
    super(
      `not committed: \`work\` returned before these calls had ended: ${calls.join(', ')}; await each of them`,
    );
    this.calls = calls;
  }
}
