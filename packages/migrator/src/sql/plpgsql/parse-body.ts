/** Returns the tree of a PL/pgSQL body, as PostgreSQL's own parser makes it; null if it can't parse it. */
export async function parsePlpgsqlBody(body: string): Promise<unknown> {
  const { parsePlPgSQL } = await import('libpg-query');
  const create = `create function f() returns trigger language plpgsql as $migrator$${body}$migrator$`;
  return parsePlPgSQL(create).catch(() => null);
}
