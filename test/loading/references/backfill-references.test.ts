import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  ContentionError,
  DanglingReferenceError,
  ForbiddenError,
  InvalidBackfillError,
  InvalidRowError,
  InvalidValueError,
  ReadOnlyError,
} from '../../../src/index.ts';
import { backfillReferences } from '../../../src/loading/references/backfill-references.ts';
import type { BackfillConfig } from '../../../src/loading/references/backfill-config.ts';
import { Database } from '../../../src/database/database.ts';
import { UnitOfWork } from '../../../src/database/units/unit-of-work.ts';
import { DatabaseTarget } from '../../../src/settings/database-url.ts';
import { plans, portfolios, Plan, References, referencesOrm } from './world.ts';

const named = { target: 'name', source: 'title' };
const tagged = { target: 'tags', aggregation: 'collect_distinct', source: 'tag' } as const;

describe('backfilled references', () => {
  let db: References;
  beforeAll(async () => {
    db = await References.create();
  });
  beforeEach(() => db.empty());
  afterAll(() => db.drop());

  const keys = async (): Promise<string[]> => (await db.plans()).map(({ Plan: key }) => String(key));
  const counts = async (config: BackfillConfig, facts: Record<string, unknown>[]) =>
    (await backfillReferences(db, config, facts)).targets.map(({ name, inserted, updated, skipped }) => [
      name,
      inserted,
      updated,
      skipped,
    ]);

  describe('that are missing', () => {
    test('are inserted once each, and those that are there are skipped', async () => {
      await db.execute(`insert into "Mixed ""Case"""."Pension plans" ("Plan", name) values ('P1', 'kept')`);

      const { facts, targets } = await backfillReferences(db, { targets: [{ ...plans, columns: [named] }] }, [
        { plan: 'P2', title: 'two' },
        { plan: 'P1', title: 'one' },
        { plan: 'P2', title: 'other' },
        { plan: null, title: 'none' },
        { title: 'none' },
      ]);

      expect(facts).toBe(5);
      expect(targets).toEqual([
        {
          name: 'plans',
          entity: 'Plan',
          outcome: 'done',
          error: null,
          candidates: 2,
          inserted: 1,
          updated: 0,
          skipped: 1,
        },
      ]);
      expect(await db.plans()).toMatchObject([
        { Plan: 'P1', name: 'kept', row_version: 1 },
        { Plan: 'P2', name: 'two' },
      ]);
    });

    test('get a generated key when facts identify them by other properties, and follow their dependencies', async () => {
      const config = { targets: [{ ...portfolios, dependsOn: ['plans'] }, plans] };

      expect(
        await counts(config, [
          { plan: 'P1', code: 2 },
          { plan: 'P1', code: '2' },
          { plan: 'P1', code: 1 },
          { plan: 'P1', code: null },
        ]),
      ).toEqual([
        ['plans', 1, 0, 0],
        ['portfolios', 2, 0, 0],
      ]);
      const made = await db.portfolios();
      expect(made).toMatchObject([
        { plan_id: 'P1', code: 1, name: 'P1/1' },
        { plan_id: 'P1', code: 2, name: 'P1/2' },
      ]);
      expect(made.every(({ id }) => /^pf_[0-9a-f-]{36}$/.test(String(id)))).toBe(true);
    });

    test('get the defaults of their columns and the tracking values', async () => {
      await backfillReferences(
        db,
        {
          targets: [
            {
              ...plans,
              columns: [{ target: 'portfolioCount', source: 'count', optional: true }],
              tracking: { source: "auto 'derived'", derivedAt: { now: true } },
            },
          ],
        },
        [{ plan: 'P1' }],
      );

      expect(await db.plans()).toMatchObject([
        { portfolio_count: 7, source: "auto 'derived'", derived_at: expect.any(String), row_version: 1 },
      ]);
    });

    test('are one parent when keys differ in surrounding white space only', async () => {
      expect(
        await counts({ targets: [plans] }, [{ plan: 'P1' }, { plan: ' P1' }, { plan: 'P1\u3000\n' }]),
      ).toEqual([['plans', 1, 0, 0]]);
      expect(await keys()).toEqual(['P1']);
    });

    test.each([
      [true, ['P1']],
      [false, ['', '(blank)', '(空白)', 'P1']],
    ])('are skipped under a blank key with skipBlankValues (%s)', async (skipBlankValues, expected) => {
      const blanks = ['(空白)', ' (空白) ', '', '  ', '(blank)'].map((plan) => ({ plan }));

      await backfillReferences(db, { targets: [{ ...plans, skipBlankValues }] }, [...blanks, { plan: 'P1' }]);

      expect((await keys()).toSorted()).toEqual(expected);
    });

    test('are not inserted without facts', async () => {
      expect(await counts({ targets: [{ ...plans, columns: [named] }] }, [])).toEqual([['plans', 0, 0, 0]]);
    });
  });

  describe('that are completed', () => {
    const filled = { ...plans, mode: 'fill_null_only' } as const;
    beforeEach(() =>
      db.execute(
        `insert into "Mixed ""Case"""."Pension plans" ("Plan", name, amount) values ('P1', null, 1), ('P2', 'kept', null), ('P3', 'kept', 3)`,
      ),
    );

    test('are updated only where they hold NULL, and none is inserted', async () => {
      const config = {
        targets: [
          {
            ...filled,
            columns: [named, { target: 'amount', source: 'amount' }],
            tracking: { source: 'auto' },
          },
        ],
      };
      const facts = ['P1', 'P2', 'P3', 'P4'].map((plan) => ({ plan, title: 'new', amount: 9 }));

      expect(await counts(config, facts)).toEqual([['plans', 0, 2, 2]]);
      const once = await db.plans();
      expect(once).toMatchObject([
        { Plan: 'P1', name: 'new', amount: 1, source: 'auto', row_version: 2 },
        { Plan: 'P2', name: 'kept', amount: 9, source: 'auto', row_version: 2 },
        { Plan: 'P3', name: 'kept', amount: 3, source: null, row_version: 1 },
      ]);
      expect(await counts(config, facts)).toEqual([['plans', 0, 0, 4]]);
      expect(await db.plans()).toEqual(once);
    });

    test('keep NULL when no fact has a value', async () => {
      const config = { targets: [{ ...filled, columns: [named, tagged] }] };

      expect(await counts(config, [{ plan: 'P1', title: null, tag: null }])).toEqual([['plans', 0, 0, 1]]);
      expect(await db.plans()).toMatchObject([{ name: null, tags: null }, {}, {}]);
    });

    test('keep what another transaction wrote while the backfill waited for its lock', async () => {
      const other = db.orm.em.fork();
      await other.begin();
      await other.execute(`update "Mixed ""Case"""."Pension plans" set name = 'theirs' where "Plan" = 'P1'`);
      const config = { targets: [{ ...filled, columns: [named, { target: 'amount', source: 'amount' }] }] };

      const backfilled = counts(config, [
        { plan: 'P1', title: 'ours', amount: 9 },
        { plan: 'P2', title: 'ours', amount: 9 },
      ]);
      try {
        await db.awaitLockWaiter();
      } finally {
        await other.commit();
      }

      expect(await backfilled).toEqual([['plans', 0, 1, 1]]);
      expect(await db.plans()).toMatchObject([
        { name: 'theirs', amount: 1 },
        { name: 'kept', amount: 9 },
        { name: 'kept', amount: 3 },
      ]);
    });
  });

  describe('with existing arrays', () => {
    test.each([
      ['["b", "a"]', ['c', 'a', 'd', 'c'], ['b', 'a', 'c', 'd'], 1],
      ['["b", "a"]', ['a', 'b'], ['b', 'a'], 0],
      ['[]', [null], [], 0],
      ['[]', ['x'], ['x'], 1],
      [null, [null], null, 0],
      [null, ['x'], ['x'], 1],
      ['{"no": "array"}', ['x'], { no: 'array' }, 0],
    ])('%s with %j become %j', async (there, tags, expected, updated) => {
      await db.execute(
        `insert into "Mixed ""Case"""."Pension plans" ("Plan", tags) values ('P1', ${there === null ? 'null' : `'${there}'`})`,
      );
      const config = { targets: [{ ...plans, columns: [tagged] }] };

      expect(
        await counts(
          config,
          tags.map((tag) => ({ plan: 'P1', tag })),
        ),
      ).toEqual([['plans', 0, updated, 1 - updated]]);
      expect(await db.plans()).toMatchObject([{ tags: expected, row_version: 1 + updated }]);
      expect(await counts(config, [{ plan: 'P1', tag: tags[0] }])).toEqual([['plans', 0, 0, 1]]);
    });
  });

  describe('with a table that PostgreSQL refuses', () => {
    const broken = {
      name: 'broken',
      source: ['missing', 'code'],
      entity: 'Portfolio',
      key: ['plan', 'code'],
      columns: [{ target: 'name', source: 'title' }],
    };
    const facts = [{ plan: 'P1', missing: 'nowhere', code: 1, title: 'x' }];

    test('are all rolled back', async () => {
      await expect(backfillReferences(db, { targets: [plans, broken] }, facts)).rejects.toMatchObject({
        table: 'portfolios',
        constructor: DanglingReferenceError,
      });

      expect(await keys()).toEqual([]);
    });

    test.each([true, false])(
      'name the target, the column and the fact, with savepoints: %s',
      async (savepoints) => {
        await db.execute(`insert into "Mixed ""Case"""."Pension plans" ("Plan", name) values ('P1', 'kept')`);
        const errorOf = async (some: Record<string, unknown>[]): Promise<unknown> => {
          try {
            return (await backfillReferences(db, { targets: [broken], savepoints }, some)).targets[0]?.error;
          } catch (error) {
            return error;
          }
        };
        const fact = { missing: 'P1', code: 1, title: 'x' };

        expect(
          await errorOf([fact, { ...fact, missing: null }, { ...fact, code: 2, missing: 'P9' }]),
        ).toMatchObject({
          constructor: DanglingReferenceError,
          row: 3,
          message: expect.stringMatching(
            /^(?:target "broken": )?a parent references a missing row \(23503\): .* in row 3$/,
          ),
        });
        const untitled = { missing: 'P1', code: 2 };
        expect(
          await errorOf([fact, untitled, { ...untitled, title: 'y' }, { ...fact, title: null }]),
        ).toBeNull();
        expect(
          await errorOf([
            { ...fact, title: null },
            { ...untitled, code: 3 },
            { ...untitled, code: 4 },
          ]),
        ).toMatchObject({
          constructor: InvalidValueError,
          column: 'name',
          row: 2,
          message: expect.stringMatching(
            /^(?:target "broken": )?no fact of a parent gives a required value \(23502\): column "name" .* in row 2$/,
          ),
        });
      },
    );

    test('stay with savepoints, except that table and its dependents', async () => {
      const after = { ...portfolios, name: 'after', dependsOn: ['plans'] };
      const left = { ...portfolios, name: 'left', dependsOn: ['broken'] };
      const further = { ...portfolios, name: 'further', dependsOn: ['left'] };

      const { targets } = await backfillReferences(
        db,
        { targets: [plans, broken, after, left, further], savepoints: true },
        facts,
      );

      expect(targets).toMatchObject([
        { name: 'plans', outcome: 'done', inserted: 1, error: null },
        { name: 'broken', outcome: 'failed', inserted: 0, error: expect.any(DanglingReferenceError) },
        { name: 'after', outcome: 'done', inserted: 1 },
        { name: 'left', outcome: 'skipped', candidates: 0, error: null },
        { name: 'further', outcome: 'skipped', candidates: 0, error: null },
      ]);
      expect(await keys()).toEqual(['P1']);
      expect(await db.portfolios()).toHaveLength(1);
    });

    test('leave the enclosing unit of work unchanged', async () => {
      await db.transact(async (uow) => {
        uow.em.create(Plan, { id: 'P0' });
        await expect(backfillReferences(uow, { targets: [plans, broken] }, facts)).rejects.toThrow();
        await backfillReferences(uow, { targets: [plans] }, facts);
      });

      expect(await keys()).toEqual(['P0', 'P1']);
    });
  });

  test('accept any schema name', async () => {
    // All others are too.
    expect(referencesOrm(db.target).getMetadata().get(Plan).schema).toBe('Mixed "Case"');
    await backfillReferences(db, { targets: [plans] }, [{ plan: 'P1' }]);

    expect(await keys()).toEqual(['P1']);
  });

  test('accept any property name, key and template', async () => {
    const hostile = `x"; drop table y; -- ?$1 \\ ' {} 😀 ${'z'.repeat(80)}`;
    const braced = hostile.replaceAll('{', '{{').replaceAll('}', '}}');
    const config = {
      targets: [
        {
          ...plans,
          source: hostile,
          columns: [
            { target: 'name', aggregation: 'template', template: braced },
            {
              target: 'source',
              aggregation: 'concat_distinct',
              source: '__proto__',
              separator: hostile,
              optional: true,
            },
          ],
        },
      ],
    } as const;

    await backfillReferences(db, config, [{ [hostile]: hostile }]);

    expect(await db.plans()).toMatchObject([{ Plan: hostile, name: hostile, source: null }]);
  });

  test('are visible at once to a unit of work that backfills several times', async () => {
    await db.transact(async (uow) => {
      const loaded = uow.em.create(Plan, { id: 'P1' });
      await uow.flush();
      await backfillReferences(uow, { targets: [{ ...plans, mode: 'fill_null_only', columns: [named] }] }, [
        { plan: 'P1', title: 'found' },
      ]);
      expect(loaded).toMatchObject({ name: 'found', rowVersion: 2 });
      loaded.amount = 5;
      await backfillReferences(uow, { targets: [{ ...plans, columns: [tagged] }] }, [
        { plan: 'P1', tag: 'x' },
        { plan: 'P2', tag: 'y' },
      ]);
    });

    expect(await db.plans()).toMatchObject([
      { Plan: 'P1', name: 'found', amount: 5, tags: ['x'] },
      { Plan: 'P2', tags: ['y'] },
    ]);
  });

  test.each([
    ['no object', [{ plan: 'a', title: 'x' }, 'text'], /^row 2: is not an object/],
    [
      'a number that is none',
      [{ plan: 'a', title: 'x', amount: 'secret' }],
      /^row 1, amount: is not a finite/,
    ],
    ['no number for a key', [{ plan: Number.NaN, title: 'x' }], /^row 1, plan: is not a finite/],
    ['an object for a key', [{ plan: { code: 'a' }, title: 'x' }], /^row 1, plan: is a list or an object/],
    ['a list for a key', [{ plan: ['a'], title: 'x' }], /^row 1, plan: is a list or an object/],
    [
      'no number for a text',
      [{ plan: 'a', title: Number.POSITIVE_INFINITY }],
      /^row 1, title: is not a finite/,
    ],
    ['U+0000', [{ plan: 'a', title: 'secret\0' }], /^row 1, title: holds U\+0000/],
    ['half a surrogate pair', [{ plan: 'a', title: 'secret\ud800' }], /^row 1, title: holds half/],
    ['a document out of shape', [{ plan: 'a', title: 'x', details: { city: 5 } }], /^row 1, details: .*city/],
    ['an element out of shape', [{ plan: 'a', title: 'x', tag: 5 }], /^row 1, tag: /],
  ])('are not made of facts with %s, the first of which is named', async (_, facts, says) => {
    const columns = [
      named,
      { target: 'amount', source: 'amount', optional: true },
      { target: 'details', source: 'details', optional: true },
      { ...tagged, optional: true },
    ];
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as a caller without types might give them
    const given = facts as Record<string, unknown>[];
    const refused = backfillReferences(db, { targets: [{ ...plans, columns }] }, given);

    await expect(refused).rejects.toBeInstanceOf(InvalidRowError);
    await expect(refused).rejects.toThrow(says);
    await expect(refused).rejects.not.toThrow(/secret/);
    expect(await keys()).toEqual([]);
  });

  test('are refused when no fact has a required property', async () => {
    const columns = [
      named,
      { target: 'source', aggregation: 'template', template: '{title}{typo}' } as const,
    ];

    await expect(
      backfillReferences(db, { targets: [{ ...plans, source: 'plam', columns }] }, [
        { plan: 'a', title: 'b' },
      ]),
    ).rejects.toMatchObject({
      constructor: InvalidBackfillError,
      issues: [{ path: 'targets.0.source.0' }, { path: 'targets.0.columns.1.template' }],
    });
    expect(await keys()).toEqual([]);
  });

  test('are rolled back when PostgreSQL refuses one or the facts throw', async () => {
    const fault = new Error('no more facts');
    async function* broken() {
      yield { plan: 'P1' };
      throw fault;
    }

    await expect(
      backfillReferences(db, { targets: [plans] }, [{ plan: 'P1' }, { plan: 'refused' }]),
    ).rejects.toBeInstanceOf(InvalidValueError);
    await expect(backfillReferences(db, { targets: [plans] }, broken())).rejects.toBe(fault);
    expect(await keys()).toEqual([]);
  });

  test('are refused when a required value is missing, with the name of the column', async () => {
    const titled = { ...portfolios, columns: [named] };

    await expect(
      backfillReferences(db, { targets: [plans, titled] }, [{ plan: 'P1', code: 1, title: null }]),
    ).rejects.toMatchObject({
      constructor: InvalidValueError,
      column: 'name',
      message:
        'target "portfolios": no fact of a parent gives a required value (23502): column "name" on table "portfolios" in row 1',
    });
    expect(await keys()).toEqual([]);
  });

  test('are refused outside a transaction', async () => {
    const uow = new UnitOfWork(db.orm.em.fork());

    await expect(backfillReferences(uow, { targets: [plans] }, [])).rejects.toBeInstanceOf(ReadOnlyError);
  });

  test('need the TEMPORARY privilege, and the error says how to grant it', async () => {
    const { database } = db.target.parts;
    await db.execute(
      `create role "temp_${database}" login password 'p'; revoke temporary on database "${database}" from public`,
    );
    const target = new DatabaseTarget({ ...db.target.parts, user: `temp_${database}`, password: 'p' });
    await using poor = new Database(referencesOrm(target));

    const refused = backfillReferences(poor, { targets: [plans] }, []);

    await expect(refused).rejects.toBeInstanceOf(ForbiddenError);
    await expect(refused).rejects.toThrow(`grant temporary on database "${database}" to "temp_${database}"`);
    await db.execute(`drop role "temp_${database}"`);
  });

  test('are protected from stale writes by their version', async () => {
    await db.execute(`insert into "Mixed ""Case"""."Pension plans" ("Plan") values ('P1')`);

    const stale = db.transact(async ({ em }) => {
      const plan = await em.findOneOrFail(Plan, 'P1');
      await backfillReferences(db, { targets: [{ ...plans, mode: 'fill_null_only', columns: [named] }] }, [
        { plan: 'P1', title: 'found' },
      ]);
      plan.name = 'overwritten';
    });

    await expect(stale).rejects.toBeInstanceOf(ContentionError);
    expect(await db.plans()).toMatchObject([{ name: 'found' }]);
  });
});
