import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Experiment, SynthGroup } from '../../src/entities.ts';
import { InvalidValueError } from '../../src/errors.ts';
import { loadRows } from '../../src/loading/index.ts';
import { TestDatabase, anExperiment } from '../../src/testing/index.ts';
import { instants, sessions } from './instants.ts';

// The first that PostgreSQL can hold, in milliseconds; before it, only -infinity.
const first = Date.UTC(-4713, 10, 24);
const last = 8.64e15;

type Write = (db: TestDatabase, createdAt: Date, settings: Readonly<Record<string, string>>) => Promise<void>;

const row = { id: 'g', name: 'n' };
const writes: Record<string, Write> = {
  'a flush': (db, createdAt, settings) =>
    db.transact(async ({ synthGroups }) => void synthGroups.add({ ...row, createdAt }), { settings }),
  'a change of a loaded row': async (db, createdAt, settings) => {
    await db.transact(async ({ synthGroups }) => void synthGroups.add({ ...row, createdAt: new Date(0) }));
    await db.transact(
      async ({ synthGroups }) => {
        (await synthGroups.get('g')).createdAt = createdAt;
      },
      { settings },
    );
  },
  insert: (db, createdAt, settings) =>
    db.transact(async ({ em }) => void (await em.insert(SynthGroup, { ...row, createdAt })), { settings }),
  insertMany: (db, createdAt, settings) =>
    db.transact(async ({ em }) => void (await em.insertMany(SynthGroup, [{ ...row, createdAt }])), {
      settings,
    }),
  upsert: (db, createdAt, settings) =>
    db.transact(async ({ em }) => void (await em.upsert(SynthGroup, { ...row, createdAt })), { settings }),
  nativeUpdate: async (db, createdAt, settings) => {
    await db.transact(async ({ synthGroups }) => void synthGroups.add({ ...row, createdAt: new Date(0) }));
    await db.transact(
      async ({ em }) => void (await em.nativeUpdate(SynthGroup, { id: 'g' }, { createdAt })),
      {
        settings,
      },
    );
  },
  loadRows: async (db, createdAt) => {
    await loadRows(db, { entity: SynthGroup, mode: 'append', rows: [{ ...row, createdAt }] });
  },
};

describe('what is written', () => {
  let db: TestDatabase;
  const zone = process.env['TZ'];
  beforeAll(async () => {
    db = await TestDatabase.create();
    // The driver would write local times, whose offsets it cuts to minutes.
    process.env['TZ'] = 'America/Sao_Paulo';
  });
  afterAll(async () => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
    await db.drop();
  });

  const stored = async (): Promise<unknown> => {
    const [found] = await db.orm.em
      .fork()
      .execute<{ epoch: string }[]>('select extract(epoch from created_at)::text as epoch from synth_groups');
    await db.orm.em.fork().execute('delete from synth_groups');
    return found?.epoch;
  };
  const epochOf = (date: Date): string => {
    const time = date.getTime();
    if (Math.abs(time) === last) return time > 0 ? 'Infinity' : '-Infinity';
    const sign = time < 0 ? '-' : '';
    return `${sign}${Math.floor(Math.abs(time) / 1_000)}.${String(Math.abs(time) % 1_000).padStart(3, '0')}000`;
  };

  const anyDate = fc
    .oneof(
      fc.integer({ min: first, max: last }),
      fc.integer({ min: Date.UTC(1850, 0), max: Date.UTC(2100, 0) }),
      fc.constantFrom(...instants.map(([, iso]) => new Date(iso).getTime())),
    )
    .map((time) => new Date(time));

  test.each(Object.entries(writes))(
    'by %s is the instant of the Date, under any settings',
    async (_, write) => {
      await fc.assert(
        fc.asyncProperty(anyDate, fc.constantFrom(...sessions), async (date, settings) => {
          await write(db, date, settings);
          expect(await stored()).toBe(epochOf(date));
        }),
        { numRuns: 25 },
      );
    },
  );

  test.each(Object.entries(writes))('by %s is never an invalid date', async (_, write) => {
    const failed: unknown = await write(db, new Date(Number.NaN), {}).catch((error: unknown) => error);

    expect(failed).toBeInstanceOf(InvalidValueError);
    const kept = await stored();
    expect([undefined, epochOf(new Date(0))]).toContain(kept);
  });

  test('is refused where PostgreSQL has no such year', async () => {
    for (const [name, write] of Object.entries(writes)) {
      const failed: unknown = await write(db, new Date(first - 1_000), {}).catch((error: unknown) => error);
      expect([name, failed]).toEqual([name, expect.any(InvalidValueError)]);
      await stored();
    }
  });

  test('by repositories that take a time is never an invalid date', async () => {
    const invalid = new Date(Number.NaN);
    const experiment = await db.transact(async ({ em }) => anExperiment(em).id);

    await expect(
      db.transact(({ experimentDocuments }) =>
        experimentDocuments.startGenerating(experiment, 'summary', { model: 'm', abandonedBefore: invalid }),
      ),
    ).rejects.toThrow(InvalidValueError);
    await expect(
      db.transact(({ em }) => em.find(Experiment, { createdAt: { $gt: invalid } })),
    ).rejects.toThrow(InvalidValueError);
  });

  test('as an upsert is returned as it is stored, under any settings', async () => {
    for (const settings of sessions.slice(0, 8)) {
      await db.orm.em
        .fork()
        .execute(
          `insert into synth_groups (id, name, created_at) values ('g', 'n', '0050-01-01 00:00:00+00')`,
        );
      await db.transact(
        async ({ em }) => {
          const group = await em.upsert(SynthGroup, { id: 'g', name: 'm' });
          expect(group.createdAt).toEqual(new Date('0050-01-01T00:00:00Z'));
        },
        { settings },
      );
      await stored();
    }
  });

  test('as a generation’s token ends it under other settings', async () => {
    const experiment = await db.transact(async ({ em }) => anExperiment(em).id);
    const [begun, ended] = [sessions[2] ?? {}, sessions[13] ?? {}];
    const generation = await db.transact(
      ({ experimentDocuments }) => experimentDocuments.startGenerating(experiment, 'summary', { model: 'm' }),
      { settings: begun },
    );

    await db.transact(
      ({ experimentDocuments }) =>
        experimentDocuments.finishGenerating(experiment, 'summary', generation?.token ?? '', {
          status: 'completed',
          markdown: 'm',
        }),
      { settings: ended },
    );

    const status = await db.read(({ experimentDocuments }) =>
      experimentDocuments.findStatus(experiment, 'summary'),
    );
    expect(status).toBe('completed');
  });
});
