/** Which migrations were applied; no part of the schema, since only a migrated database has it. */
export const logTable = 'mikro_orm_migrations';

/** A condition on `pg_class`: relations of ours. Those of the log (table, key, sequence) start with its name. */
export const ours = `relnamespace = 'public'::regnamespace and relname not like '${logTable}%'`;

export { readRows } from '../../packages/migrator/test/kit/read-rows.ts';
