import { ConcurrentUseError, StatementError, UnitOfWorkEndedError } from '../../errors.ts';

// The ORM makes an error of its own of each that it catches, and keeps only the cause: each has one of its own class.

export const innerRuns = 'another `transact` within this unit of work has not ended yet; await it first';

/** For what is used after its unit of work has ended. */
export function ended(what: string): UnitOfWorkEndedError {
  return Object.assign(new UnitOfWorkEndedError(what), { cause: new UnitOfWorkEndedError(what) });
}

/** For what is used while another part of the unit of work is. */
export function concurrent(what: string): ConcurrentUseError {
  return Object.assign(new ConcurrentUseError(what), { cause: new ConcurrentUseError(what) });
}

/** For an attempt to end, or begin, the transaction of a unit of work. */
export function transactionControl(what: string): StatementError {
  return statementError(
    `${what}: a unit of work begins and ends its transaction; return from \`work\` to commit, throw to roll back, and use the ` +
      '`transact` of the unit of work for a savepoint',
  );
}

/** For what is sent after a statement has ended the transaction, by the command with this name. */
export function transactionEnded(command: string): StatementError {
  return statementError(
    `a statement ended the transaction of this unit of work by ${command}: what ran before it may be stored, and nothing was sent ` +
      'since; leave the end of the transaction to the unit of work',
  );
}

/** For the ORM's own connection, asked of a manager that belongs to a unit of work. */
export function pastUnit(): StatementError {
  return statementError(
    'em.getConnection sends past the unit of work, on any connection of the pool: use `em.execute` or `em.getKysely()`, and for ' +
      'statements outside the unit of work `orm.em` of the database',
  );
}

function statementError(message: string): StatementError {
  return new StatementError(message, {}, { cause: new StatementError(message, {}) });
}
