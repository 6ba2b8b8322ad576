import { hasLostOutput, print, printJson, table, UsageError, writeTo } from 'mikro-orm-safe-migrations/cli';
import { mkdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { EntityClass, MikroORM } from '@mikro-orm/postgresql';
import { Database } from '../../database/database.ts';
import { exportReadModel, readModelOf } from './read-model.ts';
import { exportFormats, exportTables, type ExportedTable, type ExportFormat } from '../../exporting/index.ts';
import { PartialFile } from '../../legacy-import/partial-file.ts';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import type { ExportCommandOptions } from './command-options.ts';
import { keepHeapSmall } from '../rows/keep-heap-small.ts';
import { ExportProgress } from '../progress/export-progress.ts';

/** Runs `synthdb export`: writes each table to a file, which gets its name when it is complete. */
export function exportToFiles(names: readonly string[], given: ExportCommandOptions): Promise<void> {
  keepHeapSmall();
  const { to, json = false } = given;
  const { format, fileOf } = destinationOf(names, given);
  const readModel = names.length === 1 ? readModelOf(names[0] ?? '', given.of, format) : null;
  return withDatabase('application', async (orm, info) => {
    const isQuiet = json || to === '-';
    if (!isQuiet) printDatabase(info);
    const progress = new ExportProgress();
    try {
      const write = (exported: Pick<ExportedTable, 'name' | 'bytes'>): Promise<void> =>
        writeTable(exported, fileOf(exported.name), given, progress);
      const database = new Database(orm);
      const counts =
        readModel && format !== 'parquet'
          ? await exportReadModel(database, readModel, { of: given.of, format }, write)
          : await exportTables(database, { format, entities: entitiesOf(orm, names) }, write);
      progress.stop();
      const tables = counts.map((one) => ({ ...one, file: fileOf(one.entity) }));
      if (to === '-') return;
      if (json) return printJson({ database: info.database, format, tables });
      print(
        table(
          ['entity', 'rows', 'bytes', 'file'],
          tables.map(({ entity, rows, bytes, file }) => [
            entity,
            rows.toLocaleString('en'),
            bytes.toLocaleString('en'),
            file ?? '',
          ]),
        ),
      );
    } finally {
      progress.stop();
    }
  });
}

interface Destination {
  readonly format: ExportFormat;
  /** Null for standard output. */
  readonly fileOf: (entity: string) => string | null;
}

/** @throws UsageError when it does not fit the number of entities, or is a file of another format. */
function destinationOf(names: readonly string[], { to, format, json }: ExportCommandOptions): Destination {
  if (to === '-') {
    if (names.length !== 1) throw new UsageError('standard output takes one table: name one entity');
    if (json) throw new UsageError('--json would be printed between the rows: give a file, or leave it out');
    return { format: format ?? 'csv', fileOf: () => null };
  }
  const ending = extname(to).slice(1).toLowerCase();
  const isDirectory = statSync(to, { throwIfNoEntry: false })?.isDirectory() ?? ending === '';
  if (!isDirectory) {
    if (names.length !== 1) throw new UsageError(`${to} is one file: name one entity, or give a directory`);
    const found = format ?? exportFormats.find((known) => known === ending);
    if (!found) throw new UsageError(`the format of ${to} is unknown; use --format csv, jsonl or parquet`);
    return { format: found, fileOf: () => to };
  }
  const chosen = format ?? 'csv';
  return { format: chosen, fileOf: (entity) => join(to, `${dashed(entity)}.${chosen}`) };
}

async function writeTable(
  { name, bytes }: Pick<ExportedTable, 'name' | 'bytes'>,
  path: string | null,
  { to, force = false }: ExportCommandOptions,
  progress: ExportProgress,
): Promise<void> {
  progress.begin(name);
  if (path === null) {
    for await (const chunk of bytes) {
      progress.write(chunk.length);
      await writeTo(1, chunk);
      if (hasLostOutput(1)) return;
    }
    return;
  }
  if (path !== to) mkdirSync(to, { recursive: true });
  if (!force && statSync(path, { throwIfNoEntry: false }))
    throw new UsageError(`${path} exists: give --force to replace it`);
  using file = new PartialFile('the export', path);
  for await (const chunk of bytes) {
    progress.write(chunk.length);
    file.write(chunk);
  }
  file.complete();
}

function entitiesOf(orm: MikroORM, names: readonly string[]): EntityClass<object>[] | undefined {
  return names.length === 0 ? undefined : names.map((name) => entityOf(orm, name));
}

function entityOf(orm: MikroORM, name: string): EntityClass<object> {
  const all = [...orm.getMetadata().getAll().values()];
  const found = all.find(({ className }) => className === name);
  if (!found) {
    const known = all.map(({ className }) => className).toSorted();
    throw new UsageError(`unknown entity "${name}"; expected one of: ${known.join(', ')}`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
  return found.class as EntityClass<object>;
}

function dashed(name: string): string {
  return name
    .replaceAll('.', '-')
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
}
