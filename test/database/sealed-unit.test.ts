import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Experiment, Exploration } from '../../src/entities/index.ts';
import {
  ConcurrentUseError,
  ContentionError,
  UnfinishedWorkError,
  UnitOfWorkEndedError,
  openDatabase,
  type Database,
  type UnitOfWork,
} from '../../src/index.ts';
import { TestDatabase, anExperiment, anExploration } from '../../src/testing/index.ts';

const rounds = Number(process.env['ROUNDS'] ?? 20);

describe('the end of a unit of work', () => {
  let test_: TestDatabase;
  let db: Database;
  let id = '';
  const refused: unknown[] = [];
  const onUnhandled = (error: unknown) => void refused.push(error);

  beforeAll(async () => {
    process.on('unhandledRejection', onUnhandled);
    test_ = await TestDatabase.create();
    const port = process.env['BOUNCER'];
    const { user, password, host, port: own, database } = test_.target.parts;
    db = port
      ? await openDatabase({
          url: `postgresql://${user}:${password}@${host}:${port}/${database}`,
          poolMode: 'transaction',
        })
      : await openDatabase({ url: `postgresql://${user}:${password}@${host}:${own}/${database}` });
  });
  afterAll(async () => {
    await db.close();
    await test_.drop();
    process.off('unhandledRejection', onUnhandled);
  });
  beforeEach(async () => {
    refused.length = 0;
    id = await db.transact(async (u) => anExperiment(u.em).id);
  });

  const raw = async () =>
    (await test_.orm.em.fork().execute('select * from experiments where id = ?', [id]))[0]!;
  const setName = (u: UnitOfWork, name: string) =>
    u.em.execute('update experiments set name = ? where id = ?', [name, id]);
  const busy = async () =>
    Number(
      (
        await test_.orm.em
          .fork()
          .execute(
            "select count(*) as n from pg_stat_activity where state like 'idle in%' and datname = current_database()",
          )
      )[0]!.n,
    );

  test('A: refuses what follows a statement on the wire when another branch throws', async () => {
    for (let i = 0; i < rounds; i++) {
      const failure = new Error('no');
      let late: unknown;
      await expect(
        db.transact((u) =>
          Promise.all([
            u.em
              .execute('select pg_sleep(0.05)')
              .then(() => setName(u, 'late'))
              .catch((e: unknown) => (late = e)),
            setTimeout(10).then(() => {
              throw failure;
            }),
          ]),
        ),
      ).rejects.toBe(failure);
      await setTimeout(20);
      expect(late).toBeInstanceOf(UnitOfWorkEndedError);
      expect((await raw()).name).not.toBe('late');
    }
  });

  test('A: refuses to commit when a call was not awaited, and names it', async () => {
    for (let i = 0; i < rounds; i++) {
      const failed = db.transact(async (u) => {
        void u.experiments.saveScorecard(id, null);
        await u.em.execute('select 1');
        void u.experiments.softDelete(id);
      });
      await expect(failed).rejects.toBeInstanceOf(UnfinishedWorkError);
      await expect(failed).rejects.toMatchObject({
        calls: expect.arrayContaining(['experiments.softDelete']),
      });
      expect((await raw()).status).toBe('active');
    }
    expect(refused).toEqual([]);
  });

  test('A: every handle refuses after the end', async () => {
    for (let i = 0; i < rounds; i++) {
      const handles = await db.transact(async (u) => {
        const kysely = u.em.getKysely();
        const fork = u.em.fork();
        const inner = await u.transact(async (within) => [within]);
        const repository = u.experiments;
        return [{ u, kysely, fork, repository, inner: inner[0]! }];
      });
      const { u, kysely, fork, repository, inner } = handles[0]!;
      for (const wait of [0, 1]) {
        await setTimeout(wait);
        const uses: [string, () => Promise<unknown>][] = [
          ['execute', () => setName(u, 'late')],
          [
            'kysely',
            () =>
              kysely
                .updateTable('experiments' as never)
                .set({ name: 'late' } as never)
                .execute(),
          ],
          [
            'getKysely',
            async () =>
              u.em
                .getKysely()
                .updateTable('experiments' as never)
                .set({ name: 'late' } as never)
                .execute(),
          ],
          [
            'kysely savepoint',
            async () =>
              (u.em.getKysely() as never as { savepoint(n: string): { execute(): Promise<unknown> } })
                .savepoint('s')
                .execute(),
          ],

          [
            'kysely stream',
            async () => {
              for await (const _ of u.em
                .getKysely()
                .selectFrom('experiments' as never)
                .selectAll()
                .stream());
            },
          ],
          ['fork', () => fork.execute('update experiments set name = ?', ['late'])],
          ['fork native', () => fork.nativeUpdate(Experiment, { id }, { name: 'late' })],
          ['later fork', async () => u.em.fork().execute('update experiments set name = ?', ['late'])],
          ['repository', () => repository.softDelete(id)],
          ['later repository', () => u.experiments.get(id)],
          ['inner', () => inner.experiments.softDelete(id)],
          ['inner em', () => inner.em.execute('update experiments set name = ?', ['late'])],
          [
            'stream',
            async () => {
              for await (const _ of u.em.stream(Experiment));
            },
          ],
          ['find', () => u.em.find(Experiment, {})],
          ['flush', () => u.flush()],
          ['transact', () => u.transact(async () => 1)],
          ['transactional', () => u.em.transactional(async () => 1)],
          ['add', async () => anExperiment(u.em)],
        ];
        for (const [name, use] of uses) {
          const outcome = await use().then(
            () => 'passed',
            (error: unknown) => error,
          );
          expect([name, outcome], name).toEqual([name, expect.any(Error)]);
          expect(outcome, `${name}: ${String(outcome)}`).toBeInstanceOf(UnitOfWorkEndedError);
        }
      }
      expect((await raw()).name).not.toBe('late');
    }
  });

  test('B: two reads at once keep what both branches change', async () => {
    for (let i = 0; i < rounds; i++) {
      await db.transact((u) =>
        Promise.all([
          u.experiments.revise(id, { name: `N${i}` }),
          u.experiments.revise(id, { description: `D${i}` }),
        ]),
      );
      expect(await raw()).toMatchObject({ name: `N${i}`, description: `D${i}` });
    }
  });

  test('B: a set-based write keeps unflushed changes, and brings the rest up to date', async () => {
    for (let i = 0; i < rounds; i++) {
      await db.transact(async (u) => {
        const e = await u.experiments.get(id);
        await Promise.all([
          u.experiments.saveScorecard(id, null),
          setTimeout(0).then(() => {
            e.name = `N${i}`;
          }),
          u.em.execute('update experiments set hypothesis = ? where id = ?', [`H${i}`, id]),
          u.experiments.saveScorecard(id, null),
          setTimeout(1).then(() => {
            e.description = `D${i}`;
          }),
        ]);
        await u.em.find(Experiment, { id });
        expect(e).toMatchObject({ name: `N${i}`, hypothesis: `H${i}`, description: `D${i}` });
      });
      expect(await raw()).toMatchObject({ name: `N${i}`, hypothesis: `H${i}`, description: `D${i}` });
    }
  });

  test('B: reading again does not hide that another unit changed the row', async () => {
    for (let i = 0; i < rounds; i++) {
      const key = await db.transact(async (u) => anExploration(u.em).id);
      const failed = db.transact(async (u) => {
        const e = await u.explorations.get(key);
        e.currentDepth = 3;
        await db.transact((other) => other.explorations.recordLlmCalls(key, 5));
        await u.em.find(Exploration, { id: key }, { refresh: i % 2 === 0 });
        expect(e).toMatchObject({ currentDepth: 3, totalLlmCalls: 5 });
      });
      await expect(failed).rejects.toBeInstanceOf(ContentionError);
    }
  });

  test('B: changes, additions and removals during a flush are not lost', async () => {
    for (let i = 0; i < rounds; i++) {
      const other = await db.transact(async (u) => anExperiment(u.em).id);
      const added = await db.transact(async (u) => {
        const [e, o] = [await u.experiments.get(id), await u.experiments.get(other)];
        e.name = `N${i}`;
        const flushing = u.flush();
        await Promise.resolve();
        await setTimeout(0);
        e.description = `D${i}`;
        u.experiments.remove(o);
        const { id: late } = anExperiment(u.em);
        await flushing;
        return late;
      });
      expect(await raw()).toMatchObject({ name: `N${i}`, description: `D${i}` });
      expect(await db.read((u) => u.experiments.find(added))).not.toBeNull();
      expect(await db.read((u) => u.experiments.find(other))).toBeNull();
    }
  });

  test('C: the outer unit is refused while an inner one runs, and keeps its work', async () => {
    for (let i = 0; i < rounds; i++) {
      const outcome = await db.transact((u) =>
        Promise.allSettled([
          u.transact(async () => {
            await setTimeout(5);
            throw new Error('x');
          }),
          setTimeout(2).then(() => u.experiments.saveScorecard(id, null)),
        ]),
      );
      expect(outcome[1]).toMatchObject({ status: 'rejected', reason: expect.any(ConcurrentUseError) });
    }
  });

  test('C: what the outer code changes in memory meanwhile survives the inner rollback', async () => {
    for (let i = 0; i < rounds; i++) {
      await db.transact(async (u) => {
        const e = await u.experiments.get(id);
        await Promise.all([
          u
            .transact(async (inner) => {
              e.hypothesis = 'inner';
              await inner.flush();
              await setTimeout(5);
              await inner.flush();
              throw new Error('x');
            })
            .catch(() => {}),
          setTimeout(2).then(() => {
            e.description = `D${i}`;
          }),
        ]);
        expect(e.hypothesis).not.toBe('inner');
      });
      expect(await raw()).toMatchObject({ description: `D${i}` });
      expect((await raw()).hypothesis).not.toBe('inner');
    }
  });

  test('C: code inside the inner unit may use the outer one, too', async () => {
    await db.transact(async (u) => {
      await u.transact(async () => {
        await u.experiments.revise(id, { name: 'Within' });
        await u.flush();
      });
      await u
        .transact(async () => {
          await u.experiments.revise(id, { name: 'Lost' });
          await u.flush();
          throw new Error('x');
        })
        .catch(() => {});
    });
    expect((await raw()).name).toBe('Within');
  });

  test('D: a stream left open is closed at the end, which says so', async () => {
    await db.transact(async (u) => {
      for (let i = 0; i < 300; i++) anExperiment(u.em);
    });
    for (let i = 0; i < rounds; i++) {
      let rows: AsyncIterableIterator<unknown> | undefined;
      const failed = db.transact(async (u) => {
        const opened: AsyncIterableIterator<unknown> = u.em.stream(Experiment);
        rows = opened;
        await opened.next();
      });
      await expect(failed).rejects.toBeInstanceOf(UnfinishedWorkError);
      await expect(failed).rejects.toThrow(/stream/);
      const rest = async () => {
        for await (const _ of rows!);
      };
      await expect(rest()).rejects.toThrow(/has ended/);
    }
    expect(await busy()).toBe(0);
  });

  test('D: a statement while a stream is open is refused at once', async () => {
    for (let i = 0; i < rounds; i++) {
      await db.transact(async (u) => {
        for await (const _ of u.em.stream(Experiment)) {
          await expect(u.experiments.get(id)).rejects.toBeInstanceOf(ConcurrentUseError);
          break;
        }
        await u.experiments.get(id);
      });
    }
  });

  test('leaves no connection behind', async () => {
    expect(await busy()).toBe(0);
    expect(refused.filter((error) => !(error instanceof UnitOfWorkEndedError))).toEqual([]);
  });
});
