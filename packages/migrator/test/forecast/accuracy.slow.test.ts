import { randomBytes } from 'node:crypto';
import type { MikroORM, Options } from '@mikro-orm/postgresql';
import { Client, type Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import { Migrator, backfill } from 'mikro-orm-safe-migrations';
import { interceptQueries, type Interceptor } from '../../src/internals/intercept-queries.ts';
import { runServer } from '../kit/server.ts';
import { projectOn, type Migrations } from '../project.ts';

// Numbers of rows, to compare in full; such as 10000,1000000,5000000, which takes four minutes and 3 GB.
const given = process.env['FORECAST_ROWS'];
const sizes = (given ?? '10000,100000').split(',').map(Number);
// Beside other tests, each of two measurements may take twice as long as the other. What takes few milliseconds varies by one.
const [factor, floor] = given === undefined ? [3, 60] : [1.25, 1];

const created: Migrations = {
  M1: {
    up: [
      `create table item (id bigint generated always as identity primary key, customer_id int not null, number int, note text,
         total int not null, at timestamptz default now())`,
      'alter table item set (autovacuum_enabled = off)',
    ],
  },
};
const changes = {
  'an index': { up: ['create index item_customer on item (customer_id)'] },
  'an index of texts': { up: ['create index item_note on item (note)'] },
  'NOT NULL': { up: ['alter table item alter number set not null'] },
  'a type change': { up: ['alter table item alter total type bigint'] },
  'a backfill': {
    up: [backfill('item', { by: 'id', set: 'total = total + 1' })],
    transactional: false,
  },
};

async function onServer(sql: string): Promise<void> {
  const client = new Client({ connectionString: runServer().url });
  await client.connect();
  await client.query(sql);
  await client.end();
}

/** Returns the ORM of a project on a database. */
type Project = (chain: Migrations, options?: Options) => MikroORM;

async function withDatabase<T>(
  from: string,
  work: (name: string, project: Project) => Promise<T>,
): Promise<T> {
  const name = `${runServer().prefix}_${randomBytes(6).toString('hex')}`;
  // So that nothing of it is in the server's memory, as after a restart. What is read for the first time after that takes longer.
  await onServer(`create database "${name}" template "${from}" strategy file_copy`);
  const url = new URL(runServer().url);
  url.pathname = name;
  const opened: MikroORM[] = [];
  try {
    return await work(name, (chain, options) => {
      const orm = projectOn(url.href, chain, options);
      opened.push(orm);
      return orm;
    });
  } finally {
    for (const orm of opened) await orm.close(true);
    await onServer(`drop database "${name}" with (force)`);
  }
}

/** Applies the last migration of a chain, and returns how long its statement took: until its answer, or the end of a backfill. */
async function apply(project: Project, chain: Migrations): Promise<number> {
  let [text, began, took] = ['', 0, 0];
  const answered: Interceptor = async (send, sql, values) => {
    const result = await send(sql, values);
    if (sql === text) took = performance.now() - began;
    return result;
  };
  const onPoolCreated = (pool: Pool): void => interceptQueries(pool, () => answered);
  await new Migrator(project(chain, { driverOptions: { onPoolCreated } }), {
    onEvent: (event) => {
      if (event.kind === 'statement') [text, began] = [event.sql, performance.now()];
      if (event.kind === 'done' && took === 0) took = performance.now() - began;
    },
  }).up();
  return took;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? 0;
}

describe.each(sizes)('with %i rows, the forecast is near what happens', (rows) => {
  test('for an index, a NOT NULL, a type change and a backfill', { timeout: 3_600_000 }, async () => {
    const found: Record<string, { readonly forecast: number | null | undefined; readonly real: number }> = {};

    await withDatabase('template0', async (filled, project) => {
      const orm = project(created);
      await new Migrator(orm).up();
      await orm.em.execute(
        `insert into item (customer_id, number, note, total)
         select (n::bigint * 2654435761 % ${rows})::int, (n::bigint * 7919 % 1000)::int, left(repeat(md5(n::text), 2), 40), n % 1000
         from generate_series(1, ${rows}) n`,
      );
      await orm.em.execute('vacuum analyze item');
      await orm.close(true);
      for (const [name, change] of Object.entries(changes)) {
        const chain: Migrations = { ...created, M2: change };
        const forecast = await withDatabase(filled, async (_, on) => {
          const [one] = await new Migrator(on(chain)).forecast([{ name: 'M2', direction: 'up' }]);
          return one?.durationMs;
        });
        const times: number[] = [];
        do
          times.push(
            await withDatabase(filled, async (_, on) => {
              await on({}).em.execute('set max_parallel_workers_per_gather = 0; select count(*) from item');
              return apply(on, chain);
            }),
          );
        while (times.length < (median(times) < 100 ? 7 : 3) && Math.max(...times) < 2_000);
        found[name] = { forecast, real: median(times) };
      }
    });

    if (given !== undefined) process.stdout.write(`${JSON.stringify({ rows, found })}\n`);
    expect(
      Object.entries(found).filter(([, { forecast, real }]) => !isNear(forecast ?? Number.NaN, real)),
    ).toEqual([]);
  });
});

function isNear(forecast: number, real: number): boolean {
  const [less, more] = [Math.min(forecast, real), Math.max(forecast, real)];
  return more - less <= floor || more <= less * factor;
}
