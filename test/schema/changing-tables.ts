import type { EntityManager, EntityMetadata } from '@mikro-orm/postgresql';
import { createOfflineOrm } from '../../src/postgres/orm/offline-orm.ts';
import { factories } from '../concurrency/histories/factories.ts';
import { changed, trackedOf } from '../concurrency/histories/row-state.ts';
import { valuesOf } from '../repositories/row-values.ts';
import { tables } from './tables.ts';

/** The values of a row, by property. */
export type Stored = Readonly<Record<string, unknown>>;
type Change = (em: EntityManager, stored: Stored) => Promise<unknown>;

/** A table with `updated_at`, and the ways to change one column of a row to a new value: the same one each time. */
export interface Changing {
  readonly table: string;
  /** Stages a row, and returns its values. */
  readonly stage: (em: EntityManager) => Stored;
  readonly column: string;
  readonly flush: Change;
  /** By the key, and by each other unique set of columns: the name of the way, and the way. */
  readonly upserts: readonly (readonly [name: string, upsert: Change])[];
  readonly nativeUpdate: (em: EntityManager, stored: Stored, time?: { updatedAt: Date }) => Promise<unknown>;
  readonly queryBuilder: Change;
  readonly sql: (em: EntityManager, stored: Stored, further?: string) => Promise<unknown>;
}

/** Every table with `updated_at`. */
export const changingTables: readonly Changing[] = tables
  .filter(({ properties }) => 'updatedAt' in properties)
  .map(changing);

function changing(meta: EntityMetadata): Changing {
  const { class: entity, className, tableName: table, primaryKeys, props, uniques } = meta;
  const [, factory] = factories.find(([name]) => name === className) ?? [];
  if (!factory) throw new Error(`${className} has no factory`);
  const uniqueSets = [
    ...uniques.map(({ properties }) => [properties ?? []].flat()),
    ...props.filter(({ unique, primary }) => unique && !primary).map(({ name }) => [name]),
  ];
  const tracked = (stored: Stored) => {
    const all = trackedOf(meta, stored);
    const free = all.find(({ property }) => !uniqueSets.flat().includes(property)) ?? all[0];
    if (!free) throw new Error(`${className} has no number, text or document to change`);
    return { ...free, value: changed(free.kind, stored[free.property], 1) };
  };
  const data = (stored: Stored, time = {}) => ({
    [tracked(stored).property]: tracked(stored).value,
    ...time,
  });
  const upsert =
    (without: readonly string[]): Change =>
    (em, stored) => {
      const given = props.filter(
        ({ name, onUpdate, version }) =>
          !onUpdate && !version && name !== 'createdAt' && !without.includes(name) && stored[name] != null,
      );
      const names = given.map(({ name }) => name);
      return em.upsert(entity, { ...pick(stored, names), ...data(stored) });
    };
  const sample = tracked(valuesOf(factory(createOfflineOrm().em.fork())));
  const keyColumns = meta.getPrimaryProps().flatMap(({ fieldNames }) => fieldNames);
  return {
    table,
    stage: (em) => valuesOf(factory(em)),
    column: sample.column,
    flush: async (em, stored) => {
      const row: object = await em.findOneOrFail(entity, pick(stored, primaryKeys));
      const { property, kind, value } = tracked(stored);
      if (kind === 'document') Object.assign(Object(Reflect.get(row, property)), value);
      else Reflect.set(row, property, value);
      await em.flush();
    },
    upserts: [
      ['an upsert of a row that is there', upsert([])],
      // A row with another value of its unique column is another one.
      ...uniqueSets
        .filter((names) => !names.includes(sample.property))
        .map(
          (names) => [`an upsert of a row with this ${names.join(' and ')}`, upsert(primaryKeys)] as const,
        ),
    ],
    nativeUpdate: (em, stored, time) =>
      em.nativeUpdate(entity, pick(stored, primaryKeys), data(stored, time)),
    queryBuilder: (em, stored) =>
      em.createQueryBuilder(entity).update(data(stored)).where(pick(stored, primaryKeys)).execute(),
    sql: (em, stored, further = '') => {
      const { column, kind, value } = tracked(stored);
      return em.execute(
        `update "${table}" set "${column}" = ?${further} where ${keyColumns.map((key) => `"${key}" = ?`).join(' and ')}`,
        [kind === 'document' ? JSON.stringify(value) : value, ...primaryKeys.map((name) => stored[name])],
      );
    },
  };
}

function pick(stored: Stored, names: readonly string[]): Stored {
  return Object.fromEntries(names.map((name) => [name, stored[name]]));
}
