import { UnderscoreNamingStrategy } from '@mikro-orm/core';

const prefixes: Partial<Record<string, string>> = { foreign: 'fk', unique: 'uq', index: 'idx', check: 'chk' };

/** Names what an entity leaves unnamed: `fk_…`, `uq_…`, `idx_…`, `chk_<table>_<columns>`. Services match on them. */
export class ConstraintNaming extends UnderscoreNamingStrategy {
  override indexName(
    table: string,
    columns: string[],
    type: 'primary' | 'foreign' | 'unique' | 'index' | 'sequence' | 'check' | 'default',
  ): string {
    const prefix = prefixes[type];
    return prefix ? [prefix, table, ...columns].join('_') : super.indexName(table, columns, type);
  }
}
