import type { EntityMetadata, EntityProperty } from '@mikro-orm/postgresql';
import type { UnitOfWork } from '../../src/index.ts';
import { loadRows } from '../../src/loading/index.ts';
import { copyRows } from '../../src/postgres/copy/copy-rows.ts';

/** A column of an entity's table. */
export interface Column {
  readonly meta: EntityMetadata<object>;
  readonly prop: EntityProperty;
  readonly name: string;
}

/** Writes `value` into the column, by the entity or bypassing it. */
export type WritePath = (uow: UnitOfWork, column: Column, value: unknown) => Promise<unknown> | undefined;

/** Every way to write a value. */
export const writePaths: Record<string, WritePath> = {
  'the flush of a new entity': ({ em }, { meta, prop }, value) => {
    em.persist(em.create(meta.class, { ...keyOf(meta), [prop.name]: value }, { partial: true }));
    return em.flush();
  },
  'the flush of a changed entity': async ({ em }, { meta, prop }, value) => {
    const [row] = await em.find(meta.class, {}, { limit: 1 });
    if (!row) throw new Error(`no row in ${meta.tableName}`);
    Reflect.set(row, prop.name, value);
    await em.flush();
  },
  'em.insert': ({ em }, { meta, prop }, value) => em.insert(meta.class, { [prop.name]: value }),
  'em.insertMany': ({ em }, { meta, prop }, value) =>
    em.insertMany(meta.class, [{ [prop.name]: value }, { [prop.name]: value }]),
  'em.upsert': ({ em }, { meta, prop }, value) =>
    em.upsert(meta.class, { ...keyOf(meta), [prop.name]: value }),
  'em.nativeUpdate': ({ em }, { meta, prop }, value) =>
    em.nativeUpdate(meta.class, {}, { [prop.name]: value }),
  'a query builder': ({ em }, { meta, prop }, value) =>
    em
      .createQueryBuilder(meta.class)
      .update({ [prop.name]: value })
      .execute(),
  'a value of em.execute': ({ em }, { meta, name }, value) =>
    em.execute(`update "${meta.tableName}" set "${name}" = ?`, [value]),
  'a parameter of Kysely': ({ em }, { meta, name }, value) =>
    em
      .getKysely<Record<string, Record<string, unknown>>>()
      .updateTable(meta.tableName)
      .set({ [name]: value })
      .execute(),
  loadRows: (uow, { meta, prop }, value) =>
    loadRows(uow, {
      entity: meta.class,
      mode: 'fill_null',
      rows: [{ ...keyOf(meta), [prop.name]: value }],
    }),
  'the COPY of repositories': ({ em }, { meta, prop, name }, value) =>
    copyAnything(em, meta.tableName, { [name]: prop.columnTypes[0] ?? '' }, [{ [name]: value }]),
};

// Its type allows only the columns of the tables.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- any column of any table is to be tried
const copyAnything = copyRows as unknown as (
  em: object,
  table: string,
  columns: object,
  rows: object[],
) => Promise<boolean>;

function keyOf(meta: EntityMetadata): Record<string, string> {
  return Object.fromEntries(meta.primaryKeys.map((name) => [name, 'k']));
}

/** Returns the columns of all entities for which `accepts` is true. */
export function columnsOf(
  metadata: Iterable<EntityMetadata>,
  accepts: (prop: EntityProperty) => boolean,
): Column[] {
  return [...metadata].flatMap((meta) =>
    meta.props
      .filter((prop) => prop.fieldNames?.length === 1 && accepts(prop))
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever the entity is, it is an object
      .map((prop) => ({ meta: meta as EntityMetadata<object>, prop, name: prop.fieldNames[0] ?? '' })),
  );
}
