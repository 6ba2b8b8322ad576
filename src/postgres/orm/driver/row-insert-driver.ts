import type {
  EntityDictionary,
  EntityName,
  NativeInsertUpdateManyOptions,
  QueryResult,
} from '@mikro-orm/core';
import { CompiledQuery } from 'kysely';
import { DataErrorConnection } from '../data-errors/data-error-connection.ts';
import { isOurs } from '../entities/our-entities.ts';
import { ExactDriver } from './exact-driver.ts';
import { rowInsert } from './row-insert.ts';

/**
 * The ORM's driver, whose flush inserts a single row of our entities by a statement that each connection prepares once. The ORM's own
 * statement has no name, so that PostgreSQL parses and plans it anew for each row.
 */
export class RowInsertDriver extends ExactDriver {
  protected override readonly connection = new DataErrorConnection(this.config);

  override async nativeInsertMany<T extends object>(
    entity: EntityName<T>,
    rows: EntityDictionary<T>[],
    options: NativeInsertUpdateManyOptions<T> = {},
    transform?: (sql: string) => string,
  ): Promise<QueryResult<T>> {
    const meta = this.metadata.get<T>(entity);
    const [row] = rows;
    // Only a flush passes values that are converted already.
    const insert =
      row && rows.length === 1 && options.convertCustomTypes === false && !options.signal && isOurs(meta)
        ? rowInsert(meta, this.getTableName(meta, options), row, this.platform)
        : null;
    if (!insert) return super.nativeInsertMany(entity, rows, options, transform);
    return this.rethrow(this.connection.write<T>(CompiledQuery.raw(insert.sql, [...insert.values]), options));
  }
}
