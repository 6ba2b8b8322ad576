import { hasLostOutput, print, printJson, table, UsageError, writeTo } from 'mikro-orm-safe-migrations/cli';
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import type { EntityClass, MikroORM } from '@mikro-orm/postgresql';
import { Database } from '../../database/database.ts';
import { exportReadModel, readModelOf } from './read-model.ts';
import { exportFormats, exportTables, type ExportedTable, type ExportFormat } from '../../exporting/index.ts';
import { parentsFirst } from '../../exporting/parents-first.ts';
import { PartialFile } from '../../legacy-import/partial-file.ts';
import { printDatabase, withDatabase } from '../connection/with-database.ts';
import type { ExportCommandOptions } from './command-options.ts';
import { keepHeapSmall } from '../rows/keep-heap-small.ts';
import { entityNamed } from '../rows/entity-named.ts';
import { ExportProgress } from '../progress/export-progress.ts';

/** Runs `synthdb export`: writes each table to a file, which gets its name when it is complete. */
export function exportToFiles(names: readonly string[], given: ExportCommandOptions): Promise<void> {
  keepHeapSmall();
  const { to, json = false } = given;
  const { format, fileOf } = destinationOf(names, given);
  const [name = ''] = names;
  if (names.length !== 1 && given.of !== undefined) throw new UsageError('--of is for one read model');
  const readModel = names.length === 1 ? readModelOf(name, given.of, format) : null;
  return withDatabase('application', async (orm, info) => {
    const isQuiet = json || to === '-';
    if (!isQuiet) printDatabase(info);
    const progress = new ExportProgress();
    const lost = new AbortController();
    try {
      const write = (exported: Pick<ExportedTable, 'name' | 'bytes'>): Promise<void> =>
        writeTable(exported, fileOf(exported.name), given, { progress, lost });
      const database = new Database(orm);
      const { signal } = lost;
      const entities = readModel ? [] : entitiesOf(orm, names);
      refuseExisting(readModel ? [name] : entities.map((entity) => entity.name), fileOf, given);
      const counts =
        readModel && format !== 'parquet'
          ? await exportReadModel(database, readModel, { of: given.of, format, signal }, write)
          : await exportTables(database, { format, entities, signal }, write);
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
    } catch (error) {
      // The command says itself that its output is incomplete.
      if (!lost.signal.aborted) throw error;
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
  const existing = statSync(to, { throwIfNoEntry: false });
  if (existing && !existing.isDirectory() && !existing.isFile())
    throw new UsageError(`${to} is not a regular file: give one, or - for standard output`);
  const isDirectory = existing?.isDirectory() ?? (ending === '' || to.endsWith('/'));
  if (!isDirectory) {
    if (names.length !== 1) throw new UsageError(`${to} is one file: name one entity, or give a directory`);
    const named = exportFormats.find((known) => known === ending);
    if (format && named && named !== format)
      throw new UsageError(`${to} ends with another format than ${format}: leave out --format, or rename it`);
    const found = format ?? named;
    if (!found) throw new UsageError(`the format of ${to} is unknown; use --format csv, jsonl or parquet`);
    return { format: found, fileOf: () => to };
  }
  const chosen = format ?? 'csv';
  return { format: chosen, fileOf: (entity) => join(to, `${dashed(entity)}.${chosen}`) };
}

async function writeTable(
  { name, bytes }: Pick<ExportedTable, 'name' | 'bytes'>,
  path: string | null,
  { to }: ExportCommandOptions,
  { progress, lost }: { readonly progress: ExportProgress; readonly lost: AbortController },
): Promise<void> {
  progress.begin(name);
  if (path === null) {
    for await (const chunk of bytes) {
      progress.write(chunk.length);
      await writeTo(1, chunk);
      // The rest need not be read.
      if (hasLostOutput(1)) return lost.abort();
    }
    return;
  }
  if (path !== to) mkdirSync(to, { recursive: true });
  using file = new PartialFile('the export', path);
  for await (const chunk of bytes) {
    progress.write(chunk.length);
    file.write(chunk);
  }
  file.complete();
}

/** @throws UsageError for a file that exists, before anything is written. */
function refuseExisting(
  names: readonly string[],
  fileOf: Destination['fileOf'],
  { force = false }: ExportCommandOptions,
): void {
  for (const name of names) {
    const path = fileOf(name);
    // Also a link that leads nowhere.
    if (path !== null && !force && lstatSync(path, { throwIfNoEntry: false }))
      throw new UsageError(`${path} exists: give --force to replace it`);
  }
}

/** Returns the entities of these names, or all, in the order of their tables' references. */
function entitiesOf({ em }: MikroORM, names: readonly string[]): EntityClass<object>[] {
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new UsageError(`${repeated} is named twice`);
  const metas =
    names.length > 0
      ? names.map((name) => entityNamed(em, name))
      : parentsFirst([...em.getMetadata().getAll().values()]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the ORM's own list of entities has their classes
  return metas.map((meta) => meta.class as EntityClass<object>);
}

function dashed(name: string): string {
  return name
    .replaceAll('.', '-')
    .replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`)
    .toLowerCase();
}
