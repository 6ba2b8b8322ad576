import type { EntityManager, EntityMetadata } from '@mikro-orm/postgresql';
import type { Database } from '../database/database.ts';
import type { UnitOfWork } from '../database/units/unit-of-work.ts';
import { tableName } from '../loading/load/column-sql.ts';
import { InvalidValueError } from '../errors.ts';
import { describeTarget } from '../loading/load/load-target.ts';
import { refusePolicies } from '../postgres/sql/refuse-policies.ts';
import { tagStatements } from '../postgres/sql/statement-tags.ts';
import { counted } from './counted.ts';
import type { ExportCounts, ExportedTable, ExportFormat, ExportOptions } from './export-options.ts';
import { parquetFile } from './parquet-file.ts';
import { prepareTransaction } from './prepare-transaction.ts';
import { csvFile, jsonlFile } from './text-files.ts';
import { parentsFirst } from './parents-first.ts';

const files = { csv: csvFile, jsonl: jsonlFile, parquet: parquetFile } satisfies Record<
  ExportFormat,
  unknown
>;

/**
 * Exports tables, all as they were at one moment. `write` gets one after the other, and reads its bytes; memory does not grow with the number of rows.
 * What is exported, `loadRows` and `synthdb load` bring back equal, but for numbers that are NaN or infinite, which they refuse. Rows have no order. Returns the counts, in the order of the tables.
 *
 * @throws InvalidValueError for a class that is no entity; ConnectionError; ForbiddenError, also where a row-level policy would hide rows; what `write` throws, unchanged.
 */
export function exportTables(
  database: Database,
  { format, entities, signal }: ExportOptions,
  write: (table: ExportedTable) => Promise<void>,
): Promise<ExportCounts[]> {
  return tagStatements('exportTables', () =>
    database.read(
      async (uow) => {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what reads is typed without the entity manager, which every unit has
        const { em } = uow as UnitOfWork;
        const metas = chosen(em, entities);
        await prepareTransaction(em);
        await refusePolicies(
          em,
          metas.map((meta) => tableName(describeTarget(em, meta))),
        );
        const counts: ExportCounts[] = [];
        for (const meta of metas) counts.push(await exportTable(em, meta, format, write));
        return counts;
      },
      { snapshot: true, signal },
    ),
  );
}

function chosen(em: EntityManager, entities: ExportOptions['entities']): EntityMetadata[] {
  if (!entities) return parentsFirst([...em.getMetadata().getAll().values()]);
  return entities.map((entity) => {
    const meta = em.getMetadata().find(entity);
    if (meta) return meta;
    throw new InvalidValueError(`${entity.name} is not an entity of this database; pass its entity class`, {
      argument: 'entities',
    });
  });
}

async function exportTable(
  em: EntityManager,
  meta: EntityMetadata,
  format: ExportFormat,
  write: (table: ExportedTable) => Promise<void>,
): Promise<ExportCounts> {
  const file = files[format](em, describeTarget(em, meta));
  const counts = { entity: meta.className, rows: 0, bytes: 0 };
  try {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
    await write({
      entity: meta.class as ExportedTable['entity'],
      name: meta.className,
      bytes: counted(file, counts),
    });
  } catch (error) {
    // The first error is thrown.
    await file.return(0).catch(() => {});
    throw error;
  }
  // Where `write` stopped early, so that the connection can be used again.
  await file.return(0);
  return counts;
}
