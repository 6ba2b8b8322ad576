import { setTimeout } from 'node:timers/promises';
import { Reference, wrap, type EntityClass, type EntityMetadata } from '@mikro-orm/core';
import { loadRows } from '../../../src/loading/index.ts';
import type { Database, UnitOfWork } from '../../../src/index.ts';
import { barrier } from '../concurrently.ts';
import type { Factory } from './factories.ts';
import { derivedFrom, targetOf, tokenOf, type History, type HistoryRow, type Step } from './history.ts';
import { repositorySteps } from './repository-steps.ts';
import { changed, changedInSql, stateOf, trackedOf, type RowState } from './row-state.ts';

/** A row of the database that a history changes. */
interface StoredRow extends HistoryRow {
  readonly meta: EntityMetadata;
  readonly entity: EntityClass<Record<string, unknown>>;
  readonly where: Readonly<Record<string, unknown>>;
  /** The values of its key's columns. */
  readonly key: readonly string[];
  /** Its properties, with relations as keys, except those that every change sets. */
  readonly data: Readonly<Record<string, unknown>>;
}

export type StoredRows = readonly [StoredRow, StoredRow];

/** Stores a new row of each entity. */
export async function storeRows(
  database: Database,
  factories: readonly [Factory, Factory],
): Promise<StoredRows> {
  const stored = await database.transact(async (uow) => {
    const rows = factories.map((factory) => factory(uow.em));
    await uow.flush();
    return rows.map((row) => {
      const { __meta: meta } = wrap(row, true);
      const where = Object.fromEntries(meta.primaryKeys.map((name) => [name, plain(Reflect.get(row, name))]));
      return { entity: meta.class, where, key: Object.values(where).map(String) };
    });
  });
  const [first, second] = await Promise.all(stored.map((one) => readRow(database, one)));
  if (!first || !second) throw new Error('two rows were stored');
  return [first, second];
}

/** Returns the current states of the rows. */
export async function statesOf(database: Database, rows: StoredRows): Promise<[RowState, RowState]> {
  const em = database.orm.em.fork();
  const read = async ({ entity, where, tracked }: StoredRow): Promise<RowState> =>
    stateOf(tracked, await em.findOneOrFail(entity, where));
  return [await read(rows[0]), await read(rows[1])];
}

/** Runs the units of a history concurrently, and returns the error of each; null for success. */
export async function runHistory(database: Database, history: History, rows: StoredRows): Promise<unknown[]> {
  const loaded = barrier(history.units.length);
  const results = await Promise.allSettled(
    history.units.map((steps, unit) =>
      database.transact((uow) => runUnit(uow, { history, rows, steps, unit }, loaded), {
        isolation: history.isolation,
      }),
    ),
  );
  return results.map((result) => (result.status === 'rejected' ? result.reason : null));
}

interface RunningUnit {
  readonly history: History;
  readonly rows: StoredRows;
  readonly steps: readonly Step[];
  readonly unit: number;
}

async function runUnit(uow: UnitOfWork, running: RunningUnit, loaded: () => Promise<void>): Promise<void> {
  const { rows, steps, unit, history } = running;
  const edits = steps.some(({ kind }) => kind === 'edit' || kind === 'derive');
  const managed: object[] = [];
  // Before all changes, so that a loaded row may be stale when it is changed.
  if (edits) for (const { entity, where } of rows) managed.push(await uow.em.findOneOrFail(entity, where));
  await loaded();
  for (const [place, step] of steps.entries()) {
    await setTimeout(step.pause);
    const token = tokenOf(unit, place);
    const row = rows[step.row];
    const target = targetOf(row, step);
    const entity = managed[step.row];
    if (entity && (step.kind === 'edit' || step.kind === 'derive')) {
      const states = managed.map((one, index) => stateOf(rows[index === 0 ? 0 : 1].tracked, one));
      const by =
        step.kind === 'derive'
          ? derivedFrom(rows, [states[0] ?? {}, states[1] ?? {}], step, history.isolation)
          : 0;
      Reflect.set(
        entity,
        target.property,
        changed(target.kind, Reflect.get(entity, target.property) ?? null, token + by),
      );
      continue;
    }
    // As methods of repositories do: earlier changes are flushed first, and loaded entities are refreshed.
    await uow.flush();
    await writePast(uow, row, step, token);
    if (entity) await uow.em.refresh(entity);
  }
}

/** Changes a row by a statement. */
async function writePast(uow: UnitOfWork, row: StoredRow, step: Step, token: number): Promise<void> {
  const target = targetOf(row, step);
  const value = changed(target.kind, row.before[target.property], token);
  const { em } = uow;
  const repository = repositorySteps[row.meta.className];
  if (step.kind === 'repository' && repository) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a key and a value of the entity that the method is of
    await repository.run(uow, (row.key.length > 1 ? row.key : row.key[0]) as never, value as never, token);
  } else if (step.kind === 'upsert') {
    await em.upsert(
      row.entity,
      { ...row.data, [target.property]: value },
      {
        onConflictFields: row.meta.primaryKeys,
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a property of the entity, whose type is not known here
        onConflictMergeFields: [target.property] as never[],
      },
    );
  } else if (step.kind === 'load') {
    const rows = [{ ...row.data, [target.property]: value }];
    await loadRows(uow, { entity: row.entity, mode: 'upsert', rows });
  } else {
    const [sql, by] = changedInSql(target, token);
    const keys = row.meta
      .getPrimaryProps()
      .flatMap(({ fieldNames }) => fieldNames.map((name) => `"${name}" = ?`));
    await em.execute(
      `update "${row.meta.tableName}" set "${target.column}" = ${sql} where ${keys.join(' and ')}`,
      [by, ...row.key],
    );
  }
}

async function readRow(
  database: Database,
  { entity, where, key }: Pick<StoredRow, 'entity' | 'where' | 'key'>,
): Promise<StoredRow> {
  const row = await database.orm.em.fork().findOneOrFail(entity, where);
  const { __meta: meta } = wrap(row, true);
  const tracked = trackedOf(meta, row);
  const data = meta.props
    .filter(({ version, onUpdate, persist }) => !version && !onUpdate && persist !== false)
    .map(({ name }) => [name, plain(Reflect.get(row, name))] as const);
  const repository = repositorySteps[meta.className] ?? null;
  return {
    entity,
    where,
    key,
    meta,
    tracked,
    before: stateOf(tracked, row),
    repository,
    data: Object.fromEntries(data),
  };
}

/** Returns a value as plain data: for a relation, the key of the referenced row. */
function plain(value: unknown): unknown {
  return value instanceof Reference ? wrap(value.unwrap(), true).getPrimaryKey() : value;
}
