import { ConcurrentUseError, StatementError, UnitOfWorkEndedError } from '../../errors.ts';

// The ORM wraps an error that it catches, and keeps only its cause. So the cause of each is an error of the same class.

export const innerUnitIsRunning =
  'another `transact` within this unit of work has not ended yet; await it first';

/** Returns the error for the use of a unit of work that has ended. */
export function endedError(what: string): UnitOfWorkEndedError {
  return Object.assign(new UnitOfWorkEndedError(what), { cause: new UnitOfWorkEndedError(what) });
}

/** Returns the error for the use of a unit of work while another part of it is in use. */
export function concurrentUseError(what: string): ConcurrentUseError {
  return Object.assign(new ConcurrentUseError(what), { cause: new ConcurrentUseError(what) });
}

/** Returns the error for an attempt to begin or end the transaction of a unit of work. */
export function transactionControlError(what: string): StatementError {
  return statementError(
    `${what} is not allowed: a unit of work begins and ends its transaction; return from \`work\` to commit, throw to roll back, and use the ` +
      '`transact` of the unit of work for a savepoint',
  );
}

/** Returns the error for a statement after another one has ended the transaction by `command`. */
export function transactionEndedError(command: string): StatementError {
  return statementError(
    `a statement ended the transaction of this unit of work by ${command}: changes before it may be committed, and nothing was sent ` +
      'since; return from `work` to commit instead',
  );
}

/** Returns the error for the use of the ORM's own connection in a unit of work. */
export function connectionOutsideUnitError(): StatementError {
  return statementError(
    'em.getConnection would send outside the unit of work, on any connection of the pool: use `em.execute` or `em.getKysely()`, and for ' +
      'statements outside the unit of work `orm.em` of the database',
  );
}

function statementError(message: string): StatementError {
  return new StatementError(message, {}, { cause: new StatementError(message, {}) });
}
