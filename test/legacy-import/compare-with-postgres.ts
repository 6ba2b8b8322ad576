import type { TestDatabase } from '../../src/testing/index.ts';
import { formatValue, type LegacyRow } from './legacy-file.ts';
import { legacyTables, type LegacyColumn, type LegacyType } from './legacy-shape.ts';

const casts: Record<LegacyType, (text: string) => string> = {
  key: (text) => text,
  serial: (text) => text,
  text: (text) => text,
  json: (text) => `nullif(${text}::jsonb, 'null')`,
  time: (text) => `${text}::timestamptz`,
  int: (text) => `${text}::bigint::int`,
  real: (text) => `${text}::float8`,
};

/** The columns, as `key: column`, in which rows of the target are not what PostgreSQL itself makes of the source's texts. */
export async function differences(
  database: TestDatabase,
  table: string,
  rows: readonly LegacyRow[],
  zone: string,
  keys: readonly string[] = keyOf(table),
): Promise<string[]> {
  const columns = (legacyTables[table] ?? []).filter(({ name }) => rows.some((row) => row[name] != null));
  const texts = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, formatValue(value)])),
  );
  const found: string[] = [];
  await database.rollback(async ({ em }) => {
    await em.execute(`set local timezone = '${zone}'`);
    for (const column of columns) {
      const { name } = column;
      const differing: { key: string }[] = await em.execute(
        `select concat_ws(', ', ${keys.map((key) => `t.${key}`).join(', ')}) as key from ${table} t
         join jsonb_to_recordset(?::jsonb) s (${columns.map((one) => `"${one.name}" text`).join(', ')})
           on ${keys.map((key) => `t.${key} = s.${key}`).join(' and ')}
         where t."${name}" is distinct from ${expected(column)}`,
        [JSON.stringify(texts)],
      );
      found.push(...differing.map(({ key }) => `${key}: ${name}`));
    }
  });
  return found;
}

function keyOf(table: string): string[] {
  return table === 'analysis_cache' ? ['analysis_id', 'cache_key'] : [legacyTables[table]?.[0]?.name ?? ''];
}

function expected({ name, type }: LegacyColumn): string {
  const text = `s."${name}"`;
  if (type !== 'time') return casts[type](text);
  // SQLite itself wrote it, in UTC.
  return casts.time(`(case when ${text} ~ '^[0-9-]{10} [0-9:]{8}$' then ${text} || 'Z' else ${text} end)`);
}
