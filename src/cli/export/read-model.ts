import { UsageError } from 'mikro-orm-safe-migrations/cli';
import type { Database } from '../../database/database.ts';
import type { UnitOfWork } from '../../database/units/unit-of-work.ts';
import { prepareTransaction } from '../../exporting/prepare-transaction.ts';
import { counted } from '../../exporting/counted.ts';
import {
  formatRows,
  type ExportCounts,
  type ExportedTable,
  type ExportFormat,
} from '../../exporting/index.ts';
import { repositories } from '../../repositories/index.ts';
import type { Signature } from '../../repositories/signatures/effects.ts';

/** A stream of rows that a repository has. */
export interface ExportedReadModel {
  readonly name: string;
  readonly repository: string;
  readonly method: string;
  /** What its first argument is the key of, such as `analysisId`; null where it needs none. */
  readonly parent: string | null;
}

/** The streams of all repositories. */
const readModels: readonly ExportedReadModel[] = Object.entries(repositories).flatMap(
  ([repository, [, { signatures }]]) =>
    Object.entries<Signature>(signatures).flatMap(([method, { effect, parameters }]) => {
      if (effect !== 'streams') return [];
      const [first] = Object.keys(parameters[0] ?? {});
      const parent = first === undefined || first === 'request' ? null : first;
      return [{ name: `${repository}.${method}`, repository, method, parent }];
    }),
);

/** Returns the read model of a name; null for a name without a point. @throws UsageError for an unknown one, or without its parent. */
export function readModelOf(
  name: string,
  of: string | undefined,
  format: ExportFormat,
): ExportedReadModel | null {
  if (!name.includes('.')) {
    if (of !== undefined) throw new UsageError(`--of is for a read model, and ${name} is an entity`);
    return null;
  }
  const found = readModels.find((one) => one.name === name);
  if (!found)
    throw new UsageError(
      `unknown read model "${name}"; expected one of: ${readModels.map((one) => one.name).join(', ')}`,
    );
  if (found.parent !== null && of === undefined)
    throw new UsageError(`${name} needs its ${found.parent}: give --of KEY`);
  if (found.parent === null && of !== undefined) throw new UsageError(`${name} takes no --of`);
  if (format === 'parquet') throw new UsageError('a read model is exported as CSV or JSON lines');
  return found;
}

/**
 * Exports the rows of a read model, as they were at one moment.
 *
 * @throws ForbiddenError where a row-level policy would hide rows.
 */
export function exportReadModel(
  database: Database,
  { name, repository, method }: ExportedReadModel,
  {
    of,
    format,
    signal,
  }: { readonly of: string | undefined; readonly format: 'csv' | 'jsonl'; readonly signal: AbortSignal },
  write: (exported: Pick<ExportedTable, 'name' | 'bytes'>) => Promise<void>,
): Promise<ExportCounts[]> {
  return database.read(
    async (uow) => {
      const counts = { entity: name, rows: 0, bytes: 0 };
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what reads is typed without the entity manager, which every unit has
      const { em } = uow as UnitOfWork;
      // Which tables it reads is known to its repository only.
      await prepareTransaction(em);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the signature says that it streams
      const streams = Reflect.get(uow, repository) as Record<
        string,
        (...given: string[]) => AsyncIterable<object>
      >;
      const rows = streams[method]?.(...(of === undefined ? [] : [of])) ?? [];
      await write({ name, bytes: counted(formatRows(rows, format), counts) });
      return [counts];
    },
    { snapshot: true, signal },
  );
}
