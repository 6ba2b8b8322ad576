import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import * as entities from '../../../src/entities.ts';
import { exportTables } from '../../../src/exporting/index.ts';
import { loadRows } from '../../../src/loading/index.ts';
import { describeTarget } from '../../../src/loading/load/load-target.ts';
import { createOfflineOrm } from '../../../src/postgres/orm/offline-orm.ts';
import { TestDatabase } from '../../../src/testing/index.ts';
import { insertBareRows } from '../../schema/rows.ts';

const { em } = createOfflineOrm();
const children = [...em.getMetadata().getAll().values()].flatMap((meta) =>
  describeTarget(em, meta)
    .columns.filter(({ references }) => references !== null)
    .map(({ property, name }) => ({ entity: meta.className, class: meta.class, property, column: name })),
);

describe('a load of a row whose parent is missing', () => {
  let db: TestDatabase;
  let rows: Record<string, Record<string, unknown>>;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await insertBareRows(db.orm.em);
    rows = {};
    await exportTables(db, { format: 'jsonl' }, async ({ name, bytes }) => {
      const [first = ''] = (await text(bytes)).split('\n', 1);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an exported row
      const { rowVersion: _, ...row } = JSON.parse(first) as Record<string, unknown>;
      rows[name] = row;
    });
  });
  afterAll(() => db.drop());

  test('is about entities with parents', () => {
    expect(new Set(children.map(({ entity }) => entity)).size).toBe(12);
  });

  describe.each(children)('of $entity, $property', ({ entity, class: type, property, column }) => {
    test.each(['append', 'upsert'] as const)('by %s names the row', async (mode) => {
      const row = rows[entity] ?? {};
      const missing = { ...row, ...('id' in row && { id: 'new' }), [property]: 'none' };
      const given = mode === 'append' ? [missing] : [row, missing];

      const loaded = loadRows(db, { entity: type, mode, rows: given });

      await expect(loaded).rejects.toMatchObject({
        name: 'DanglingReferenceError',
        column,
        row: given.length,
        message: expect.stringContaining(`${property} references a missing `),
      });
    });
  });

  test('leaves the unit of work as it was, and names the row there too', async () => {
    await db.transact(async (uow) => {
      const loaded = loadRows(uow, {
        entity: entities.Synth,
        mode: 'append',
        rows: [
          { id: 's1', name: 'n' },
          { id: 's2', name: 'n', synthGroup: 'none' },
        ],
      });

      await expect(loaded).rejects.toMatchObject({ row: 2, column: 'synth_group_id' });
      expect(await uow.synths.find('s1')).toBeNull();
    });
  });

  test.each(['insert_missing', 'fill_null'] as const)(
    'by %s names no row that it leaves out',
    async (mode) => {
      await db.orm.em
        .execute(`insert into synth_groups (id, name) values ('kept', 'g') on conflict do nothing;
        insert into synths (id, nome, synth_group_id) values ('present', 'n', 'kept'), ('empty', 'n', null) on conflict do nothing`);
      const given = [
        { id: 'present', name: 'n', synthGroup: 'none1' },
        { id: mode === 'fill_null' ? 'empty' : 'absent', name: 'n', synthGroup: 'none2' },
      ];

      const loaded = loadRows(db, { entity: entities.Synth, mode, rows: given });

      await expect(loaded).rejects.toMatchObject({ column: 'synth_group_id', row: 2 });
    },
  );

  test('without the right to read the parents, has the error of the server', async () => {
    await db.transact(async (uow) => {
      await uow.em.execute(
        `create role loader; grant insert on synths to loader; grant usage on schema public to loader; set local role loader`,
      );
      const loaded = loadRows(uow, {
        entity: entities.Synth,
        mode: 'append',
        rows: [{ id: 's3', name: 'n', synthGroup: 'none' }],
      });

      await expect(loaded).rejects.toMatchObject({ name: 'DanglingReferenceError', row: undefined });
      await uow.em.execute('reset role; drop owned by loader; drop role loader');
    });
  });
});
