import { DatabaseSync } from 'node:sqlite';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { LegacyRows } from '../legacy-file.ts';
import type { LegacyType } from '../legacy-shape.ts';
import { jsonType, postgresShape } from './postgres-facts.ts';

const types: Record<LegacyType, string> = {
  key: 'varchar(100)',
  serial: 'integer',
  text: 'text',
  json: 'jsonb',
  time: 'varchar(50)',
  int: 'integer',
  real: 'double precision',
};

/** Makes an empty database one of a state, with rows. */
export async function fillPostgres(orm: MikroORM, state: string, rows: LegacyRows): Promise<void> {
  const connection = orm.em.getConnection();
  await connection.execute('create table alembic_version (version_num varchar(32) not null)');
  await connection.execute(`insert into alembic_version values ('${state}')`);
  for (const [table, columns] of postgresShape(state)) {
    const lines = columns.map(({ name, type, required }) => {
      const own = type === 'json' ? jsonType(state, table, name) : types[type];
      return `"${name}" ${own}${required || type === 'key' ? ' not null' : ''}`;
    });
    const [key] = columns;
    const unkeyed: Record<string, string> = {
      analysis_cache: 'analysis_id, cache_key',
      experiment_tags: 'experiment_id, tag_id',
    };
    lines.push(`primary key (${unkeyed[table] ?? key?.name})`);
    await connection.execute(`create table ${table} (${lines.join(', ')})`);
    // Texts, so that JSON `null` is not NULL.
    const values = columns.map(({ name, type }) => {
      const own = type === 'json' ? jsonType(state, table, name) : types[type];
      return `(r.d ->> '${name}')::${own}`;
    });
    await connection.execute(
      `insert into ${table} select ${values.join(', ')} from jsonb_array_elements(?::jsonb) with ordinality r (d) order by r.ordinality`,
      [JSON.stringify(rows[table] ?? [])],
    );
  }
}

/** Returns a SQLite database in memory with the same tables and rows, to read them independently. */
export function mirror(state: string, rows: LegacyRows): DatabaseSync {
  const database = new DatabaseSync(':memory:');
  for (const [table, columns] of postgresShape(state)) {
    database.exec(`create table ${table} (${columns.map(({ name }) => name).join(', ')})`);
    for (const row of rows[table] ?? [])
      database
        .prepare(`insert into ${table} values (${columns.map(() => '?').join(', ')})`)
        .run(...columns.map(({ name }) => row[name] ?? null));
  }
  return database;
}
