import type { Database } from '../../src/index.ts';

/** Returns one digest of the committed rows for each table. */
export async function digest({ orm }: Database): Promise<Readonly<Record<string, string>>> {
  const tables = await orm.em.execute<{ name: string }[]>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`,
  );
  const digests = tables.map(
    ({ name }) =>
      `select '${name}' as name, (select count(*) || ' rows, ' || md5(coalesce(string_agg(row::text, ',' order by row::text), '')) from "${name}" row) as digest`,
  );
  const rows = await orm.em.execute<{ name: string; digest: string }[]>(digests.join(' union all '));
  return Object.fromEntries(rows.map((row) => [row.name, row.digest]));
}
