import { Transaction } from 'kysely';

/** Returns a Kysely transaction of which every use calls `refuse`. */
export function closedTransaction(refuse: () => never): Transaction<unknown> {
  const parts = {
    config: {},
    dialect: {},
    driver: {},
    executor: {
      executeQuery: refuse,
      stream: refuse,
      provideConnection: refuse,
      compileQuery: refuse,
      transformQuery: refuse,
    },
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only its executor is used
  return new Transaction<unknown>(parts as unknown as ConstructorParameters<typeof Transaction<unknown>>[0]);
}
