import type { EntityManager } from '@mikro-orm/postgresql';

/** Returns the rows of each table in `public` but the ORM's log, as text with every microsecond and digit, sorted. */
export async function readRows(em: EntityManager): Promise<Record<string, string[]>> {
  const tables = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace
       and relname not like 'mikro_orm_migrations%' and relkind = 'r' order by 1`,
  );
  const content: Record<string, string[]> = {};
  for (const { name } of tables) {
    const rows = await em.execute<{ line: string }[]>(`select t::text as line from "${name}" t order by 1`);
    content[name] = rows.map(({ line }) => line);
  }
  return content;
}
