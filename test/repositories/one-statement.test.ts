import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Database } from '../../src/database/database.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { readCases, type ReadCase } from './read-cases.ts';
import { otherRows, withoutStatement } from './reads.ts';
import { aWorld, type World } from './world.ts';

describe.each([1, 50, 200])('with %i rows', (size) => {
  let db: TestDatabase;
  let proxy: WireProxy;
  let database: Database;
  let world: World;
  beforeAll(async () => {
    db = await TestDatabase.create();
    world = await db.transact(async (uow) => aWorld(uow, size));
    proxy = await WireProxy.start(db.target);
    database = new Database(await connect(proxy.target, { pool: { max: 1 } }));
  });
  afterAll(async () => {
    await database.close();
    await proxy.close();
    await db.drop();
  });

  const sent = async ({ read }: ReadCase): Promise<{ result: unknown; statements: readonly string[] }> => {
    proxy.reset();
    const result = await database.read(async (uow) => read(uow, world));
    return { result, statements: proxy.statements };
  };

  test.each(readCases.filter(({ name }) => !withoutStatement.includes(name)))(
    '$name sends one statement',
    async (method) => {
      const { result, statements } = await sent(method);

      expect(statements).toHaveLength(1);
      // A statement that finds nothing, or less than there is, would prove nothing.
      expect(result).not.toBeNull();
      const rows = otherRows[method.name] ?? size;
      expect(lengthOf(result) ?? rows).toBe(rows);
    },
  );

  test.each(readCases.filter(({ name }) => withoutStatement.includes(name)))(
    '$name sends none',
    async (method) => {
      const { statements } = await sent(method);

      expect(statements).toEqual([]);
    },
  );
});

function lengthOf(result: unknown): number | undefined {
  if (Array.isArray(result)) return result.length;
  if (result instanceof Set || result instanceof Map) return result.size;
  if (typeof result !== 'object' || result === null) return undefined;
  if ('data' in result) return lengthOf(result.data);
  return 'synths' in result ? lengthOf(result.synths) : undefined;
}
