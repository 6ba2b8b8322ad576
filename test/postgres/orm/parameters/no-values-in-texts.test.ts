import { LockMode, ReferenceKind, wrap, type EntityClass, type EntityProperty } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../../../src/index.ts';
import { ourEntities } from '../../../../src/postgres/orm/entities/our-entities.ts';
import { SqlScanner } from '../../../../src/postgres/sql/sql-scanner.ts';
import * as testing from '../../../../src/testing/index.ts';
import { TestDatabase } from '../../../../src/testing/index.ts';
import { WireProxy } from '../../../proxy/wire-proxy.ts';
import { fillOptionalColumns } from '../../../repositories/optional-columns.ts';

type Row = Readonly<Record<string, unknown>>;
// Of any table: what a row's columns are is not known to the compiler.
type Entity = EntityClass<Record<string, unknown>>;

// Parts of the ORM's and our statements: the form of exact columns, an increment of a version, `limit 1`.
const ownLiterals: ReadonlySet<string> = new Set(["'hex'", '1']);

/** Returns the literals in a text, apart from those that are the same in all statements of its kind. */
function literalsIn(sql: string): string[] {
  const literals: string[] = [];
  const scanner = new SqlScanner(sql);
  while (scanner.next()) {
    const text = sql.slice(scanner.start, scanner.end);
    if ((scanner.kind === 'string' || scanner.kind === 'number') && !ownLiterals.has(text))
      literals.push(text);
  }
  return literals;
}

let db: TestDatabase;
let proxy: WireProxy;
let database: Database;
/** The values of a row of each entity. */
const rows = new Map<unknown, Row>();

beforeAll(async () => {
  db = await TestDatabase.create();
  await db.transact(async ({ em }) => {
    for (const make of Object.values(testing)) {
      if (typeof make === 'function' && /^an?[A-Z]/.test(make.name)) Reflect.apply(make, undefined, [em]);
    }
    fillOptionalColumns(em);
  });
  const em = db.orm.em.fork();
  for (const entity of ourEntities) {
    const [row] = await em.find(entity, {}, { limit: 1 });
    if (row) rows.set(entity, valuesOf(em, entity, row));
  }
  proxy = await WireProxy.start(db.target);
  database = await openDatabase({ url: proxy.url(), pool: { max: 1 } });
});
afterAll(async () => {
  await database.close();
  await proxy.close();
  await db.drop();
});
beforeEach(() => proxy.reset());

function columnsOf(em: EntityManager, entity: EntityClass<object>): EntityProperty[] {
  return em
    .getMetadata()
    .get(entity)
    .props.filter(
      ({ persist, fieldNames, kind }) =>
        persist !== false && fieldNames && kind !== ReferenceKind.ONE_TO_MANY,
    );
}

/** Returns the values of a row's columns; of a parent its key. */
function valuesOf(em: EntityManager, entity: EntityClass<object>, row: object): Row {
  return Object.fromEntries(
    columnsOf(em, entity).map(({ name, kind }) => {
      const value: unknown = Reflect.get(row, name);
      const isParent = kind !== ReferenceKind.SCALAR && typeof value === 'object' && value !== null;
      return [name, isParent ? wrap(value, true).getPrimaryKey() : value];
    }),
  );
}

function keyOf(em: EntityManager, entity: Entity, row: Row): Row {
  return Object.fromEntries(
    em
      .getMetadata()
      .get(entity)
      .primaryKeys.map((name) => [name, row[name]]),
  );
}

/** Returns the values of a row's columns, without documents: their keys, and so conditions on them, are names. */
function searchable(em: EntityManager, entity: Entity, row: Row): Row {
  const columns = columnsOf(em, entity).filter(({ columnTypes }) => columnTypes[0] !== 'jsonb');
  return Object.fromEntries(columns.map(({ name }) => [name, row[name]]));
}

/** Returns a change that every row accepts: of a text, or of a time. */
function changeOf(em: EntityManager, entity: Entity, row: Row): Row {
  const columns = columnsOf(em, entity).filter(
    ({ primary, kind }) => primary !== true && kind === ReferenceKind.SCALAR,
  );
  const text = columns.find(({ name, enum: isEnum }) => isEnum !== true && typeof row[name] === 'string');
  if (text) return { [text.name]: `${String(row[text.name])} changed` };
  const time = columns.find(({ name }) => row[name] instanceof Date);
  if (!time) throw new Error(`no column of ${entity.name} can be changed to any value`);
  return { [time.name]: new Date(Date.UTC(2031, 2, 3, 4, 5, 6, 789)) };
}

const operations: Record<string, (em: EntityManager, entity: Entity, row: Row) => Promise<unknown>> = {
  'find by each column, and by lists': async (em, entity, row) => {
    for (const [name, value] of Object.entries(searchable(em, entity, row))) {
      if (value === null) continue;
      await em.find(entity, { [name]: value });
      await em.find(entity, {
        $or: [{ [name]: { $in: [value, value] } }, { $not: { [name]: { $gte: value } } }],
      });
    }
  },
  'findOne, with a lock': (em, entity, row) =>
    em.findOne(entity, keyOf(em, entity, row), { lockMode: LockMode.PESSIMISTIC_WRITE }),
  'find with what belongs to it, by one statement and by several': async (em, entity, row) => {
    for (const strategy of ['joined', 'select-in'] as const)
      await em
        .fork({ keepTransactionContext: true })
        .find(entity, keyOf(em, entity, row), { populate: ['*'], strategy, limit: 1 });
  },
  count: (em, entity, row) => em.count(entity, keyOf(em, entity, row)),
  stream: async (em, entity, row) => {
    for await (const one of em.stream(entity, { where: keyOf(em, entity, row) })) expect(one).toBeDefined();
  },
  'a query builder': (em, entity, row) =>
    em
      .createQueryBuilder(entity, 'q')
      .where(keyOf(em, entity, row))
      .andWhere({ $or: [keyOf(em, entity, row), searchable(em, entity, row)] })
      .getResult(),
  'a flush that inserts': async (em, entity, row) => {
    await em.nativeDelete(entity, keyOf(em, entity, row));
    em.create(entity, { ...row }, { persist: true });
    await em.flush();
  },
  insert: async (em, entity, row) => {
    await em.nativeDelete(entity, keyOf(em, entity, row));
    await em.insert(entity, { ...row });
  },
  insertMany: async (em, entity, row) => {
    await em.nativeDelete(entity, keyOf(em, entity, row));
    await em.insertMany(entity, [{ ...row }]);
  },
  'a flush that updates': async (em, entity, row) => {
    em.assign(await em.findOneOrFail(entity, keyOf(em, entity, row)), changeOf(em, entity, row));
    await em.flush();
  },
  nativeUpdate: (em, entity, row) =>
    em.nativeUpdate(entity, keyOf(em, entity, row), { ...row, ...changeOf(em, entity, row) }),
  upsert: (em, entity, row) => em.upsert(entity, { ...row, ...changeOf(em, entity, row) }),
  upsertMany: (em, entity, row) => em.upsertMany(entity, [{ ...row, ...changeOf(em, entity, row) }]),
  'a flush that removes': async (em, entity, row) => {
    em.remove(await em.findOneOrFail(entity, keyOf(em, entity, row)));
    await em.flush();
  },
  refresh: async (em, entity, row) => em.refresh(await em.findOneOrFail(entity, keyOf(em, entity, row))),
};

class RolledBack extends Error {}

describe.each(ourEntities.map((entity) => [entity.name, entity] as const))('%s', (_name, given) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `Entity`
  const entity = given as Entity;
  test.each(Object.entries(operations))('%s', async (_operation, send) => {
    const row = rows.get(given);
    if (!row) throw new Error(`${given.name} has no row: src/testing exports no factory of it`);
    const work = database.transact(async ({ em }) => {
      await send(em, entity, row);
      throw new RolledBack();
    });
    await expect(work).rejects.toThrow(RolledBack);

    const sent = proxy.statements.filter((text) => /^(?:select|insert|update|delete|with)\b/.test(text));
    expect(sent).not.toEqual([]);
    expect(sent.filter((text) => literalsIn(text).length > 0)).toEqual([]);
  });
});
