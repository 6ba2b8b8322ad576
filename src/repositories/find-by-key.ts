import {
  wrap,
  type EntityClass,
  type EntityManager,
  type EntityMetadata,
  type Primary,
} from '@mikro-orm/postgresql';
import { exactColumn } from '../wire/exact-column.ts';

// Otherwise the ORM would take unflushed values of related entities for what is stored.
const notItsRelations: Parameters<EntityManager['map']>[2] & { readonly cascade: boolean } = {
  cascade: false,
};

const statements = new WeakMap<EntityMetadata, string>();

/** Returns the managed row with this key; null if none exists. A row that is loaded already is not read again. */
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
 * Reads the row with this key, also where it is loaded already, and returns it managed; null if none exists. The statement is written
 * once per entity: the ORM builds it anew at every call, which costs more than PostgreSQL takes to answer.
 */
export async function readByKey<E extends object>(
  em: EntityManager,
  entity: EntityClass<E>,
  key: Primary<E>,
): Promise<E | null> {
  const meta = em.getMetadata().get(entity);
  const [row] = await em.execute<Parameters<typeof em.map<E>>[1][]>(
    statementFor(meta),
    Array.isArray(key) ? key : [key],
  );
  return row ? em.map(entity, row, notItsRelations) : null;
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
  const keys = meta.getPrimaryProps().flatMap((prop) => prop.fieldNames.map((column) => `"${column}" = ?`));
  const statement = `select ${columns.join(', ')} from "${meta.tableName}" where ${keys.join(' and ')}`;
  statements.set(meta, statement);
  return statement;
}
