import { Migration } from '@mikro-orm/migrations';

// An extension that was there before, or that others use, outlives the index.
const mark = 'created by Migration20261201114000_text_search, which drops it when it is reverted';

const form = (column: string): string =>
  `upper((case when octet_length(${column}) = char_length(${column}) then ${column} else normalize(${column}, NFKC) end) collate "und-x-icu")`;

/**
 * An index of trigrams for the text that searches look for in the names and descriptions of synths. Optional, because not every server has
 * the extension `pg_trgm` and ICU, and not every role may create extensions. Searches find the same without it.
 *
 * Locks: none that stops a reader or a writer, since the index is built and dropped concurrently, outside a transaction.
 * Run again after an interruption it converges: a half-built index is dropped before it is built anew.
 * Going back loses nothing. It drops the extension if this migration created it and nothing else uses it.
 */
export class Migration20261201114000_text_search extends Migration {
  static readonly optional =
    'finds synths by a rare text in milliseconds; needs the extension pg_trgm and a server with ICU';

  override name = 'Migration20261201114000_text_search';
  readonly prechecks = [
    `select 'the server has no collation "und-x-icu", because it was built without ICU' as problem
     where not exists (select from pg_collation where collname = 'und-x-icu' and collnamespace = 'pg_catalog'::regnamespace)`,
    `select 'the encoding of the database is not UTF8' as problem where getdatabaseencoding() <> 'UTF8'`,
    `select format('pg_trgm is in the schema %I: move it by alter extension pg_trgm set schema public', nspname) as problem
     from pg_extension join pg_namespace n on n.oid = extnamespace
     where extname = 'pg_trgm' and nspname <> all (current_schemas(true))`,
  ];

  override isTransactional(): boolean {
    return false;
  }

  override up(): void {
    this.addSql(`do $$
begin
  if not exists (select from pg_extension where extname = 'pg_trgm') then
    create extension pg_trgm;
    comment on extension pg_trgm is '${mark}';
  end if;
end
$$`);
    this.addSql('drop index concurrently if exists idx_synths_text');
    this.addSql(
      `create index concurrently idx_synths_text on synths using gin (${form('nome')} gin_trgm_ops, ${form('descricao')} gin_trgm_ops)`,
    );
  }

  override down(): void {
    this.addSql('drop index concurrently if exists idx_synths_text');
    this.addSql(`do $$
begin
  if exists (select from pg_extension where extname = 'pg_trgm' and obj_description(oid, 'pg_extension') = '${mark}') then
    drop extension pg_trgm;
  end if;
exception
  when dependent_objects_still_exist then
    raise notice 'pg_trgm stays, because other objects use it';
end
$$`);
  }
}
