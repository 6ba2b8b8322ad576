import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestDatabase } from '../src/testing/index.ts';
let db: TestDatabase;
beforeAll(async () => {
  db = await TestDatabase.create();
});
afterAll(() => db.drop());
test('stores', () =>
  db.rollback(async (uow) => {
    const e = uow.experiments.add({ name: 'a', hypothesis: 'b' });
    await uow.flush();
    expect(e).toMatchObject({ status: 'active', rowVersion: 1 });
    console.log(e);
  }));
