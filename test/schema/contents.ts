import type { EntityManager } from '@mikro-orm/postgresql';

/** Which migrations were applied; no part of the schema, since only a migrated database has it. */
export const logTable = 'mikro_orm_migrations';

/** A condition on `pg_class`: relations of ours. Those of the log (table, key, sequence) start with its name. */
export const ours = `relnamespace = 'public'::regnamespace and relname not like '${logTable}%'`;

/** Each row of each of our tables, as text with every microsecond and digit, in a fixed order. */
export async function readRows(em: EntityManager): Promise<Record<string, string[]>> {
  const tables = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where ${ours} and relkind = 'r' order by 1`,
  );
  const content: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await em.execute<{ line: string }[]>(`select t::text as line from "${name}" t order by 1`);
    content[name] = rows.map(({ line }) => line);
  }
  return content;
}
