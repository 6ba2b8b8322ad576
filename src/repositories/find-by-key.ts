import {
  wrap,
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  type Primary,
} from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import { named } from '../postgres/client/named-statements.ts';
import { exactColumn } from '../wire/exact-column.ts';

// With cascades the ORM would take unflushed values of related entities for stored ones.
const withoutCascades: Parameters<EntityManager['map']>[2] & { readonly cascade: boolean } = {
  cascade: false,
};

const statements = new WeakMap<EntityMetadata, string>();

/** Returns the managed row with this key; null if none exists. A loaded row is not read again. Flushes first. */
export async function findByKey<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
  key: Primary<E>,
): Promise<E | null> {
  await em.flush();
  const loaded = em.getUnitOfWork().getById(entity, key);
  return loaded && wrap(loaded).isInitialized() ? loaded : readByKey(em, entity, key);
}

/**
 * Reads the row with this key, even if it is loaded, and returns it managed; null if none exists. The statement is built once per entity:
 * the ORM would build it at every call, which takes longer than PostgreSQL takes to answer.
 */
export async function readByKey<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
  key: Primary<E>,
): Promise<E | null> {
  const meta = em.getMetadata().get(entity);
  const statement = CompiledQuery.raw(statementFor(meta), Array.isArray(key) ? key : [key]);
  const { rows } = await em.getKysely().executeQuery<Parameters<typeof em.map<E>>[1]>(statement);
  const [row] = rows;
  return row ? em.map(entity, row, withoutCascades) : null;
}

function statementFor(meta: EntityMetadata): string {
  const known = statements.get(meta);
  if (known !== undefined) return known;
  const columns = meta.props.flatMap((prop) =>
    (prop.fieldNames ?? []).map((column) => {
      const name = `"${column}"`;
      return exactColumn(prop, name) ?? name;
    }),
  );
  const keys = meta
    .getPrimaryProps()
    .flatMap((prop) => prop.fieldNames)
    .map((column, index) => `"${column}" = $${index + 1}`);
  const statement = named(
    `select ${columns.join(', ')} from "${meta.tableName}" where ${keys.join(' and ')}`,
  );
  statements.set(meta, statement);
  return statement;
}
