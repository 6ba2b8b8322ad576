import type { StatementGuard } from '../session/guarded-transaction.ts';

/**
 * Runs `work`, the code of a migration, with its handles of the database behind a guard: `connect` puts them there.
 *
 * @throws what the guard threw first, also where the code ignores it or the ORM wraps it; and what the code throws.
 */
export async function callGuarded(
  work: () => void | Promise<void>,
  guard: StatementGuard,
  connect: (guard: StatementGuard) => void,
): Promise<void> {
  let refused: { readonly error: unknown } | undefined;
  connect(async (sql) => {
    try {
      await guard(sql);
    } catch (error) {
      refused ??= { error };
      throw error;
    }
  });
  try {
    await work();
  } catch (error) {
    throw refused ? refused.error : error;
  }
  if (refused) throw refused.error;
}
