import type { EntityManager } from '@mikro-orm/postgresql';
import { ForbiddenError } from '../../errors.ts';

/**
 * Refuses to read tables of which row-level policies hide rows from the role; `tables` are quoted where SQL needs it. Afterwards, PostgreSQL
 * itself refuses to leave out rows in the transaction of `em`.
 *
 * @throws ForbiddenError with the names of the tables.
 */
export async function refusePolicies(em: EntityManager, tables: readonly string[]): Promise<void> {
  const filtered = await em.execute<{ name: string }[]>(
    `select name from jsonb_array_elements_text(?::jsonb) name where row_security_active(name) order by name`,
    [JSON.stringify(tables)],
  );
  if (filtered.length > 0) {
    const names = filtered.map(({ name }) => name).join(', ');
    throw new ForbiddenError(
      `row-level policies hide rows of ${names} from this role: connect as a role with BYPASSRLS, or as the owner of the tables unless they force their policies`,
      {},
    );
  }
  await em.execute('set local row_security = off');
}
