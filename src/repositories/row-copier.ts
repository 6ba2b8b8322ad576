import type { EntityManager } from '@mikro-orm/postgresql';
import type { Tables } from '../entities/tables.ts';
import { SettingsError } from '../errors.ts';

/** The types of columns that rows can be copied into. */
export type CopiedType = 'text' | 'double precision' | 'jsonb';

/**
 * Fills tables by PostgreSQL's COPY, which takes a large number of rows in about half the time of an `insert`. What repositories
 * need of the driver for it: `database/` provides it with the configuration of the ORM.
 */
export interface RowCopier {
  /**
   * Inserts rows within the transaction of `em`. False when one of their keys is taken: then none was inserted, and the transaction
   * goes on.
   */
  copy<Table extends keyof Tables, Column extends keyof Tables[Table] & string>(
    em: EntityManager,
    table: Table,
    columns: Readonly<Record<Column, CopiedType>>,
    rows: Iterable<Readonly<Pick<Tables[Table], Column>>>,
  ): Promise<boolean>;
}

/** Under what name the ORM's configuration knows it. */
export const rowCopierName = 'rowCopier';

/** The one that this unit of work's database has. */
export function rowCopier(em: EntityManager): RowCopier {
  const copier = em.config.getExtension<RowCopier>(rowCopierName);
  if (!copier) {
    throw new SettingsError(
      'rows are copied only by a MikroORM that was initialized with the options that withSynthLab(options) returns',
    );
  }
  return copier;
}
