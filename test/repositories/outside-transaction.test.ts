import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect } from '../../src/postgres/orm/connect.ts';
import { Database } from '../../src/database/database.ts';
import { UnitOfWork, type ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { ReadOnlyError } from '../../src/errors.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { WireProxy } from '../proxy/wire-proxy.ts';
import { readRows } from '../schema/contents.ts';
import { aWorld, type World } from './world.ts';
import { writeCases } from './write-cases.ts';

let db: TestDatabase;
let proxy: WireProxy;
let database: Database;
let world: World;
beforeAll(async () => {
  db = await TestDatabase.create();
  world = await db.transact(async (uow) => aWorld(uow, 2));
  proxy = await WireProxy.start(db.target);
  database = new Database(await connect(proxy.target, { pool: { max: 1 } }));
});
afterAll(async () => {
  await database.close();
  await proxy.close();
  await db.drop();
});

const sending = writeCases.filter(({ effect }) => effect !== 'stages');
const staged = writeCases.filter(({ effect }) => effect === 'stages');

test.each(sending)('$name is refused outside a transaction, and nothing is sent', async ({ write }) => {
  const before = await readRows(db.orm.em.fork());
  proxy.reset();

  const refused = database.read(async (uow) => write(whole(uow), world));

  await expect(refused).rejects.toBeInstanceOf(ReadOnlyError);
  expect(proxy.statements).toEqual([]);
  expect(await readRows(db.orm.em.fork())).toEqual(before);
});

test.each(staged)('$name stages outside a transaction, and the flush is refused', async ({ write }) => {
  const before = await readRows(db.orm.em.fork());

  const refused = database.read(async (uow) => {
    await write(whole(uow), world);
    await whole(uow).flush();
  });

  await expect(refused).rejects.toBeInstanceOf(ReadOnlyError);
  expect(await readRows(db.orm.em.fork())).toEqual(before);
});

/** All that there is of it, whatever its type tells. */
function whole(uow: ReadingUnitOfWork): UnitOfWork {
  if (!(uow instanceof UnitOfWork)) throw new Error('there is no more of it than its type tells');
  return uow;
}
