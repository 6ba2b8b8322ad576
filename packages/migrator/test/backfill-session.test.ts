import { expect, test } from 'vitest';
import { backfill } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn } from './kit/database.ts';

/** What a trigger of the table leaves in its session, and how the next batch would see it. */
const left: readonly (readonly [what: string, code: string, seen: string])[] = [
  [
    'a custom setting',
    `perform set_config('app.leak', 'on', false)`,
    `coalesce(nullif(current_setting('app.leak', true), ''), 'none')`,
  ],
  [
    'a setting of the server',
    `perform set_config('extra_float_digits', '0', false)`,
    `current_setting('extra_float_digits')`,
  ],
  [
    'a search path',
    `perform set_config('search_path', 'pg_catalog, public', false)`,
    `current_setting('search_path')`,
  ],
  [
    'a temporary table',
    'create temp table if not exists left_over (a int)',
    `coalesce(to_regclass('pg_temp.left_over')::text, 'none')`,
  ],
  [
    'an advisory lock',
    'perform pg_advisory_lock(7)',
    `(select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid())::text`,
  ],
  [
    'a prepared statement',
    `if not exists (select from pg_prepared_statements where name = 'left_over') then
       execute 'prepare left_over as select 1';
     end if`,
    `(select count(*) from pg_prepared_statements where from_sql)::text`,
  ],
  ['a role', `perform set_config('role', 'pg_read_all_data', false)`, `current_setting('role')`],
];

test.each(left)('%s of one batch is gone in the next, and after the last', async (_, code, seen) => {
  const db = await emptyDatabase();
  for (const sql of [
    'create table t (id int primary key, seen text)',
    'insert into t select generate_series(1, 6)',
    `create function leave() returns trigger language plpgsql as $$ begin ${code}; return null; end $$`,
    'create trigger leaving after update on t for each statement execute function leave()',
  ])
    await db.orm.em.execute(sql);

  await migratorOn(db, {
    Migration1_fill: {
      up: [backfill('t', { by: 'id', set: `seen = ${seen}`, batch: 2 }), `insert into t values (7, ${seen})`],
      transactional: false,
    },
  }).up();

  const [row] = await db.orm.em.execute<{ seen: string[] }[]>(
    'select array_agg(distinct seen) as seen from t',
  );
  expect(row?.seen).toHaveLength(1);
});
