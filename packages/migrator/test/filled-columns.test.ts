import { expect, test } from 'vitest';
import { filledColumns } from '../src/safe-forms/filled-columns.ts';
import { emptyDatabase } from './kit/database.ts';

test('columns whose default differs from row to row are named, and no others', async () => {
  const db = await emptyDatabase();
  await db.orm.em.execute(`
    create schema shop;
    create table shop."Odd table" (b int, a int, primary key (a, b));
    create table parts (id int, primary key (id)) partition by range (id);
    alter table shop."Odd table" add token uuid default gen_random_uuid(), add label varchar(9) collate "C" default md5(random()::text),
      add constant int default 1, add at timestamptz default now(), add empty text default null, add computed int generated always as (a) stored;
    alter table parts add constant int default 1, add token uuid default gen_random_uuid()`);

  expect(await filledColumns(db.orm)).toEqual([
    {
      table: '"shop"."Odd table"',
      label: 'shop.Odd table',
      column: 'token',
      type: 'uuid',
      default: 'gen_random_uuid()',
      keys: ['a', 'b'],
    },
    {
      table: '"shop"."Odd table"',
      label: 'shop.Odd table',
      column: 'label',
      type: `character varying(9) collate "C"`,
      default: 'md5((random())::text)',
      keys: ['a', 'b'],
    },
  ]);
});
