import type { CompiledQuery, ControlledTransaction } from 'kysely';

/** Called for each statement before it is sent; refuses it by throwing. */
export type StatementGuard = (sql: string) => Promise<void>;

/**
 * Returns the ORM's transaction object for the code of a migration: `guard` sees each statement of `execute` and the entity manager, and
 * the transaction can't be committed or rolled back by it.
 */
export function guardedTransaction(
  transaction: ControlledTransaction<unknown>,
  guard: StatementGuard,
): ControlledTransaction<unknown> {
  return new Proxy(transaction, {
    get(target, key) {
      switch (key) {
        case 'executeQuery':
          return async (query: CompiledQuery) => {
            await guard(query.sql);
            return target.executeQuery(query);
          };
        case 'commit':
        case 'rollback':
          return () => ({ execute: () => guard(key) });
        case 'savepoint':
          return (name: string) => ({
            execute: async () => guardedTransaction(await target.savepoint(name).execute(), guard),
          });
        default: {
          // Its methods read private members, which a proxy does not have.
          const member: unknown = Reflect.get(target, key, target);
          return typeof member === 'function' ? member.bind(target) : member;
        }
      }
    },
  });
}
