import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Database } from '../../src/database/database.ts';
import type { ReadingUnitOfWork } from '../../src/database/units/unit-of-work.ts';
import { openDatabase } from '../../src/index.ts';
import { NotFoundError } from '../../src/errors.ts';
import { InstantType } from '../../src/wire/instant-type.ts';
import { ExactDoubleType } from '../../src/wire/double-type.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { readCases } from '../repositories/read-cases.ts';
import { keysOf, nextOf } from '../repositories/cursor-pages.ts';
import { aWorld, type World } from '../repositories/world.ts';
import { instants, sessions } from './instants.ts';

// Seventeen digits, of which fifteen are not enough.
const number = 0.12345678901234568;
const sessionOf = (at: number) => sessions[at % sessions.length] ?? {};

describe('reading under settings that change the text of values', () => {
  let db: TestDatabase;
  let world: World;
  let usual: Map<string, unknown>;

  beforeAll(async () => {
    db = await TestDatabase.create();
    world = await db.transact(async (uow) => aWorld(uow, instants.length));
    await db.orm.em.fork().execute(storeInstants());
    usual = await readAll(db);
  });
  afterAll(() => db.drop());

  const storeInstants = (): string =>
    [...db.orm.getMetadata().getAll().values()]
      .map((meta) => {
        const columnsOf = (Type: typeof InstantType | typeof ExactDoubleType) =>
          meta.props
            .filter(({ customType }) => customType instanceof Type)
            .flatMap((prop) => prop.fieldNames);
        const key = meta.getPrimaryProps().flatMap((prop) => prop.fieldNames);
        const rates = new Set(['did_not_try_rate', 'failed_rate', 'success_rate']);
        const set = [
          ...columnsOf(InstantType).map((column) => `"${column}" = new.time`),
          // The rates of a row add up to one.
          ...columnsOf(ExactDoubleType)
            .filter((column) => !rates.has(column))
            .map((column) => `"${column}" = ${number}`),
          ...columnsOf(ExactDoubleType)
            .filter((column) => rates.has(column))
            .map((column) => `"${column}" = ${column === 'success_rate' ? number : (1 - number) / 2}`),
        ];
        if (set.length === 0) return '';
        const times = instants.map(([text], at) => `(${at}, timestamptz '${text}')`).join(', ');
        return `update "${meta.tableName}" set ${set.join(', ')}
          from (values ${times}) new (at, time),
            (select ${key.join(', ')}, (row_number() over (order by ${key.join(', ')})) % ${instants.length} as at from "${meta.tableName}") numbered
          where numbered.at = new.at and ${key.map((column) => `"${meta.tableName}".${column} = numbered.${column}`).join(' and ')};`;
      })
      .join('\n');

  /** Of each reading method what it gives, in one unit of work. */
  const readAll = async (
    database: Pick<Database, 'read'>,
    settings?: Readonly<Record<string, string>>,
  ): Promise<Map<string, unknown>> =>
    database.read(async (uow) => {
      const read = new Map<string, unknown>();
      for (const { name, read: ask } of readCases) {
        read.set(name, structuredClone(plain(await foundBy(() => ask(uow, world)))));
      }
      return read;
    }, settings && { settings });

  test('returns every instant as its Date', () => {
    const shown = new Set(datesIn([...usual.values()]).map((date) => date.toISOString()));

    expect([...shown].toSorted()).toEqual([...new Set(instants.map(([, iso]) => iso))].toSorted());
  });

  test.each(sessions)(
    'returns the same under $timezone, $datestyle, $extra_float_digits',
    async (settings) => {
      expect(await readAll(db, settings)).toEqual(usual);
    },
  );

  test('returns the same when the database has the settings', async () => {
    const altered = sessionOf(5);
    const admin = db.orm.em.fork();
    const name = new URL(db.url).pathname.slice(1);
    for (const [setting, value] of Object.entries(altered))
      await admin.execute(`alter database "${name}" set ${setting} = '${value}'`);
    const again = await openDatabase({ url: db.url });
    try {
      await again.transact(async ({ em }) => {
        expect(await em.execute('show timezone')).toEqual([{ TimeZone: altered['timezone'] }]);
      });
      expect(await readAll(again)).toEqual(usual);
    } finally {
      await again.close();
      for (const setting of Object.keys(altered))
        await admin.execute(`alter database "${name}" reset ${setting}`);
    }
  });

  test.each(readCases.filter(({ asks }) => asks === 'scroll'))(
    '$name goes through all rows, under other settings for each page',
    async ({ read }) => {
      const ask = (request: object, page: number): Promise<unknown> =>
        db.read(async (uow: ReadingUnitOfWork) => read(uow, world, request), { settings: sessionOf(page) });
      const whole = keysOf(await ask({ first: 200 }, 0));
      const found: string[] = [];
      let page = 0;
      for (let after: string | null | undefined; after !== null; page++) {
        const answer = await ask({ after, first: 2 }, page);
        found.push(...keysOf(answer));
        after = nextOf(answer);
      }

      expect(whole).toHaveLength(world.size);
      expect(found).toEqual(whole);
    },
  );

  test('returns the stored instants in found, joined and refreshed entities, with nothing to write', async () => {
    for (const settings of [sessionOf(1), sessionOf(6), sessionOf(11)]) {
      await db.transact(
        async ({ em }) => {
          const rows = [];
          for (const meta of db.orm.getMetadata().getAll().values()) {
            rows.push(
              ...(await em.find(
                // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every entity of ours has a class
                meta.class as new () => object,
                {},
                // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- which relations there are differs
                { populate: ['*'] as never, strategy: 'joined' },
              )),
            );
          }
          for (const row of rows.slice(0, 50)) await em.refresh(row);
          const shown = new Set(datesIn(rows.map((row) => plain(row))).map((date) => date.toISOString()));
          expect([...shown].toSorted()).toEqual([...new Set(instants.map(([, iso]) => iso))].toSorted());
          const uow = em.getUnitOfWork();
          uow.computeChangeSets();
          expect(uow.getChangeSets()).toEqual([]);
        },
        { settings },
      );
    }
  });
});

async function foundBy(ask: () => unknown): Promise<unknown> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof NotFoundError) return 'none';
    throw error;
  }
}

// Entities as what they hold, without what they point at.
function plain(value: unknown): unknown {
  if (value instanceof Date || typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return value.message;
  if (value instanceof Map || value instanceof Set) return [...value].map(plain);
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, part]) => !isEntity(part) && typeof part !== 'function')
      .map(([name, part]) => [name, plain(part)]),
  );
}

function isEntity(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '__helper' in value;
}

function datesIn(value: unknown): Date[] {
  if (value instanceof Date) return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(datesIn) : [];
}
