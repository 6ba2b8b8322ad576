import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ForbiddenError,
  openDatabase,
  SettingsError,
  type Database,
  type TransactionSettings,
  type UnitOfWork,
} from '../../src/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { concurrently } from '../concurrency/concurrently.ts';
import { PgBouncer, whyNoPooler } from '../../packages/migrator/test/kit/pgbouncer.ts';
import { leftOn } from './server-connections.ts';

const clients = 20;
const serverConnections = 2;
/** The number of units of work of each tenant; `TENANT_ROUNDS=5000` for a longer test. */
const rounds = Number(process.env['TENANT_ROUNDS'] ?? 500);

/** A tenant whose name would break out of a statement that contains it unescaped. */
const tenants = ['one', `o'ther"; set role postgres; --`] as const;
const role = `tenant_${randomBytes(6).toString('hex')}`;

/** Each tenant owns the experiments whose name begins with its name. Without a tenant, the policy throws. */
const policies = `
  create role ${role} nologin;
  grant select, insert, update, delete on all tables in schema public to ${role};
  create function tenant() returns text language plpgsql stable as $$
  begin
    if coalesce(current_setting('app.tenant', true), '') = '' then
      raise insufficient_privilege using message = 'app.tenant is not set';
    end if;
    return current_setting('app.tenant');
  end $$;
  alter table experiments enable row level security;
  create policy own on experiments using (starts_with(name, tenant() || ':'));`;

let db: TestDatabase;
let pooler: PgBouncer;
let database: Database;
beforeAll(async () => {
  db = await TestDatabase.create();
  if (whyNoPooler !== null) return;
  await db.orm.em.fork().execute(policies);
  pooler = await PgBouncer.start(db.target, { poolMode: 'transaction', serverConnections });
  database = await openDatabase({
    url: pooler.url(),
    poolMode: 'transaction',
    pool: { max: clients, acquireTimeout: 60_000 },
  });
});
beforeEach(({ skip }) => {
  if (whyNoPooler !== null) skip(whyNoPooler);
});
afterAll(async () => {
  if (whyNoPooler === null) {
    await database.close();
    await pooler.stop();
    await db.orm.em.fork().execute(`drop owned by ${role}; drop role ${role}`);
  }
  await db.drop();
});

const as = (tenant: string): { settings: TransactionSettings } => ({
  settings: { role, 'app.tenant': tenant },
});

/** Returns the names of other tenants' rows that `tenant` can read by an entity, a read model or plain SQL. */
async function foreign(tenant: string): Promise<string[]> {
  const seen = await database.transact(async ({ em, experiments }) => {
    const { data } = await experiments.scrollSummaries({ first: 100 });
    const rows = await em.execute<{ name: string }[]>('select name from experiments limit 100');
    return [...data, ...rows].map(({ name }) => name);
  }, as(tenant));
  return seen.filter((name) => !name.startsWith(`${tenant}:`));
}

/**
 * Creates a row, and, in an inner unit that is rolled back, one of the other tenant. Returns the violations that either detected. Of seven
 * rounds, one fails in the work, and one in the server.
 */
async function unit(own: string, other: string, round: number): Promise<string[]> {
  return database.transact(async (uow) => {
    const { id } = anExperiment(uow.em, { name: `${own}:${round}` });
    await uow.flush();
    if (round % 7 === 0) throw new Error('on purpose');
    if (round % 7 === 1) await uow.em.execute('select 1 / 0');
    const amiss: string[] = [];
    const see = async ({ em }: UnitOfWork): Promise<number> =>
      (await em.execute<unknown[]>('select 1 from experiments where id = ?', [id])).length;
    await uow
      .transact(async (inner) => {
        await inner.em.execute(`select set_config('app.tenant', ?, true)`, [other]);
        if ((await see(inner)) > 0) amiss.push(`${other} saw a row of ${own}`);
        throw new Error('taken back');
      })
      .catch(() => {});
    if ((await see(uow)) === 0) amiss.push(`${own} lost its own row ${round}`);
    return amiss;
  }, as(own));
}

describe('two tenants of twenty clients on two server connections', () => {
  test(
    'never see, change or create rows of each other, also with failures in between',
    async () => {
      let [next, made] = [0, 0];
      const trespasses: string[] = [];
      await concurrently(clients, async () => {
        while (next < 2 * rounds) {
          const round = next++;
          const [own = '', other = ''] = round % 2 === 0 ? tenants : tenants.toReversed();
          const seen = await unit(own, other, round).catch(() => null);
          if (seen) made++;
          trespasses.push(...(seen ?? []), ...(round % 5 === 0 ? await foreign(own) : []));
        }
      });

      const counted = await concurrently(tenants.length, async (index) =>
        database.read(
          async ({ experiments }) => (await experiments.pageSummaries({ limit: 1 })).pagination.total,
          as(tenants[index] ?? ''),
        ),
      );
      expect(trespasses).toEqual([]);
      expect(made).toBe(
        Array.from({ length: 2 * rounds }, (_, round) => round).filter((round) => round % 7 > 1).length,
      );
      expect(counted.reduce((sum, count) => sum + count, 0)).toBe(made);
      expect(counted.every((count) => count > 0)).toBe(true);
      expect(await leftOn(pooler, serverConnections, db.target)).toEqual([]);
    },
    60_000 + 100 * rounds,
  );

  test('can not write rows of each other', async () => {
    const id = await database.transact(
      async ({ em }) => anExperiment(em, { name: `${tenants[1]}:mine` }).id,
      as(tenants[1]),
    );

    const intruding = database.transact(
      async ({ em }) => void anExperiment(em, { name: `${tenants[1]}:intruder` }),
      as(tenants[0]),
    );
    await expect(intruding).rejects.toBeInstanceOf(ForbiddenError);
    const changed = await database.transact(
      ({ em }) =>
        em.execute<unknown[]>('update experiments set name = ? where id = ? returning 1', [
          `${tenants[0]}:taken`,
          id,
        ]),
      as(tenants[0]),
    );

    expect(changed).toEqual([]);
  });

  test('do not see rows that the other loaded before', async () => {
    const id = await database.transact(
      async ({ em }) => anExperiment(em, { name: `${tenants[0]}:loaded` }).id,
      as(tenants[0]),
    );

    const asked = await concurrently(clients, async (client) =>
      database.read(async ({ experiments }) => experiments.find(id), as(tenants[client % 2] ?? '')),
    );

    expect(asked.map((found) => found !== null)).toEqual(
      Array.from({ length: clients }, (_, client) => client % 2 === 0),
    );
  });
});

describe('a unit of work without a tenant', () => {
  test('is refused by the policy, on connections that tenants have used', async () => {
    await concurrently(clients, (client) => foreign(tenants[client % 2] ?? ''));

    const asked = await Promise.allSettled(
      Array.from({ length: clients }, () =>
        database.read(({ experiments }) => experiments.scrollSummaries(), { settings: { role } }),
      ),
    );

    for (const outcome of asked) expect(outcome).toMatchObject({ reason: expect.any(ForbiddenError) });
  });

  test.each([undefined, null, ''])('is refused before anything is sent: %j', async (tenant) => {
    // @ts-expect-error -- plain JavaScript may pass any value
    const asked = database.read(({ experiments }) => experiments.scrollSummaries(), as(tenant));

    await expect(asked).rejects.toBeInstanceOf(SettingsError);
    await expect(asked).rejects.toThrow('settings["app.tenant"]');
  });
});
