import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { from as copyFrom } from 'pg-copy-streams';
import { Experiment } from '../../src/entities/index.ts';
import {
  ConcurrentUseError,
  DatabaseClosedError,
  UnfinishedWorkError,
  openDatabase,
} from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';

let t: TestDatabase;
let id = '';
const unhandled: unknown[] = [];
const on = (e: unknown) => void unhandled.push(e);
beforeAll(async () => {
  process.on('unhandledRejection', on);
  t = await TestDatabase.create();
  id = await t.transact(async (u) => {
    for (let i = 0; i < 300; i++) anExperiment(u.em);
    return anExperiment(u.em).id;
  });
});
afterAll(async () => {
  process.off('unhandledRejection', on);
  await t.drop();
});
const open = () => {
  const { user, password, host, port, database } = t.target.parts;
  return openDatabase({
    url: `postgresql://${user}:${password}@${host}:${port}/${database}`,
    pool: { max: 1 },
  });
};

test('a statement of thirty seconds beside a failing branch', async () => {
  const db = await open();
  const began = performance.now();
  await expect(
    db.transact((u) =>
      Promise.all([
        u.em.execute('select pg_sleep(30)'),
        setTimeout(10).then(() => {
          throw new Error('no');
        }),
      ]),
    ),
  ).rejects.toThrow('no');
  console.log('ended after', Math.round(performance.now() - began));
  expect(await db.transact((u) => u.em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
  await db.close();
});
test('a stray kysely statement, queued', async () => {
  const db = await open();
  for (let i = 0; i < 20; i++) {
    const failed = db.transact(async (u) => {
      const k = u.em.getKysely();
      for (let n = 0; n < 3; n++)
        void k
          .updateTable('experiments' as never)
          .set({ name: 'stray' } as never)
          .execute()
          .catch(() => {});
    });
    await expect(failed).rejects.toBeInstanceOf(UnfinishedWorkError);
  }
  expect(await t.orm.em.fork().execute("select 1 from experiments where name = 'stray'")).toEqual([]);
  await db.close();
});
test('a stray COPY', async () => {
  const db = await open();
  for (let i = 0; i < 5; i++) {
    const failed = db.transact(async (u) => {
      const copy = copyFrom('copy experiments (id) from stdin');
      copy.on('error', () => {});
      await u.em.getKysely().executeQuery({
        ...u.em
          .getKysely()
          .selectNoFrom((eb) => eb.lit(1).as('one'))
          .compile(),
        sql: copy as never,
        parameters: [],
      });
    });
    await expect(failed).rejects.toThrow(/COPY/);
  }
  expect(await db.transact((u) => u.em.execute('select 1 as one'))).toEqual([{ one: 1 }]);
  await db.close();
});
test('transaction control by hand', async () => {
  const db = await open();
  await db.transact(async (u) => {
    for (const sql of ['commit', ' ROLLBACK', 'end;', 'abort'])
      await expect(u.em.execute(sql)).rejects.toThrow(/begins and ends its/);
    await expect(u.em.commit()).rejects.toThrow(/begins and ends its/);
    await expect(u.em.begin()).rejects.toThrow(/begins and ends its/);
    await expect(
      (u.em.getKysely() as never as { commit(): { execute(): Promise<void> } }).commit().execute(),
    ).rejects.toThrow(/begins and ends its/);
    await u.em.execute('savepoint a');
    await u.em.execute('rollback to savepoint a');
  });
  await db.close();
});
test('a cursor left open while the work waits: signal, close', async () => {
  for (let i = 0; i < 5; i++) {
    const db = await open();
    await expect(
      db.transact(
        async (u) => {
          await u.em.stream(Experiment).next();
          await setTimeout(20_000, undefined, { ref: false });
        },
        { signal: AbortSignal.timeout(100) },
      ),
    ).rejects.toMatchObject({ name: 'TimeoutError' });
    const running = db.transact(async (u) => {
      await u.em.stream(Experiment).next();
      await setTimeout(20_000, undefined, { ref: false });
    });
    running.catch(() => {});
    await setTimeout(50);
    const began = performance.now();
    await db.close({ timeout: 300 });
    await expect(running).rejects.toBeInstanceOf(DatabaseClosedError);
    expect(performance.now() - began).toBeLessThan(2500);
  }
});
test('another transact inside an inner unit is a unit of its own', async () => {
  const db = await openDatabase({
    url:
      t.target.parts &&
      `postgresql://${t.target.parts.user}:${t.target.parts.password}@${t.target.parts.host}:${t.target.parts.port}/${t.target.parts.database}`,
  });
  await db.transact(async (u) => {
    await u
      .transact(async () => {
        await db.transact(async (other) => {
          await other.experiments.revise(id, { name: 'Other' });
        });
        throw new Error('x');
      })
      .catch(() => {});
  });
  expect((await t.orm.em.fork().execute('select name from experiments where id = ?', [id]))[0]!.name).toBe(
    'Other',
  );
  await db.close();
});
test('an inner unit that nobody awaits; two inner units; em.transactional', async () => {
  const db = await open();
  for (let i = 0; i < 20; i++) {
    await expect(
      db.transact(async (u) => {
        void u
          .transact(async (n) => {
            await setTimeout(5);
            await n.experiments.softDelete(id);
          })
          .catch(() => {});
      }),
    ).rejects.toThrow(/transact/);
    await setTimeout(8);
  }
  const [, second] = await db.transact((u) =>
    Promise.allSettled([u.transact(() => setTimeout(5)), u.em.transactional(async () => 1)]),
  );
  expect(second).toMatchObject({ reason: expect.any(ConcurrentUseError) });
  expect(
    (await t.orm.em.fork().execute('select status from experiments where id = ?', [id]))[0]!.status,
  ).toBe('active');
  await db.close();
  expect(unhandled).toEqual([]);
});
