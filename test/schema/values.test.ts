import type { EntityManager } from '@mikro-orm/postgresql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { insertBareRows } from './rows.ts';
import { arrays, closedSets, counts, durations, keys, lengths, notBlank, objects, rates } from './values.ts';

type Case = [column: string, value: string | null, constraint: string];

const percentage = 'region_analyses.synth_percentage';
const json = { ...objects, ...arrays };
const wrongType = (column: string) => (column in objects ? ['[]', '[{}]'] : ['{}', '{"0": []}']);
const emptyDocument = (column: string) => (column in objects ? '{}' : '[]');

const refused: Case[] = [
  ...keys.map((column): Case => [column, '', rule(column, '_not_empty')]),
  ...Object.entries(closedSets).flatMap(([column, values]) =>
    ['', 'unknown', `${values[0]} `, `${values[0]}`.toUpperCase()].map((value): Case => [
      column,
      value,
      rule(column, ''),
    ]),
  ),
  ...rates.flatMap((column) =>
    ['-0.01', '1.01', 'NaN', 'Infinity', '-5e-324'].map((value): Case => [
      column,
      value,
      rule(column, '_range'),
    ]),
  ),
  ...['-0.01', '100.01', 'NaN'].map((value): Case => [percentage, value, rule(percentage, '_range')]),
  ...counts.map((column): Case => [column, '-1', rule(column, '_range')]),
  ...durations.map((column): Case => [column, '-0.01', rule(column, '_range')]),
  ...Object.entries(lengths).flatMap(([column, most]) =>
    ['x', 'ã', '😀'].map((character): Case => [column, character.repeat(most + 1), rule(column, '_length')]),
  ),
  ...notBlank.flatMap((column) =>
    ['', ' ', ' \t\r\n'].map((value): Case => [column, value, rule(column, '_not_blank')]),
  ),
  ...Object.keys(json).flatMap((column) =>
    ['null', '1', '"{}"', 'true', ...wrongType(column)].map((value): Case => [
      column,
      value,
      rule(column, column in objects ? '_object' : '_array'),
    ]),
  ),
];

const accepted: [column: string, value: string | null][] = [
  ...Object.entries(closedSets).flatMap(([column, values]) =>
    values.map((value): [string, string] => [column, value]),
  ),
  ...rates.flatMap((column): [string, string][] => [
    [column, '0'],
    [column, '1'],
  ]),
  [percentage, '0'],
  [percentage, '100'],
  ...counts.map((column): [string, string] => [column, '0']),
  ...durations.map((column): [string, string] => [column, '0']),
  ...Object.entries(lengths).flatMap(([column, most]) =>
    ['x', 'ã', '😀'].map((character): [string, string] => [column, character.repeat(most)]),
  ),
  ...notBlank.map((column): [string, string] => [column, ' .']),
  ...Object.keys(json).map((column): [string, string] => [column, emptyDocument(column)]),
  ...Object.entries(json).flatMap(([column, need]): [string, null][] =>
    need === 'nullable' ? [[column, null]] : [],
  ),
];

/** The name that the rule for naming gives to a column's CHECK. */
function rule(column: string, kind: string): string {
  return `chk_${column.replace('.', '_')}${kind}`;
}

/** How a value is called in a test's name. */
function shown(value: string | null): string {
  if (value === null || value.length <= 20) return JSON.stringify(value);
  const first = String.fromCodePoint(value.codePointAt(0) ?? 0);
  return `${value.length / first.length} times ${first}`;
}

/** Gives the column of every row of its table the value. */
function write(em: EntityManager, column: string, value: string | null) {
  const [table, name] = column.split('.');
  return em.execute(`update ${table} set "${name}" = ?`, [value], 'run');
}

describe('values', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    await insertBareRows(db.orm.em);
  });
  afterAll(() => db.drop());

  test.each(refused.map((one) => [one[0], shown(one[1]), ...one] as const))(
    '%s does not take %s',
    (_column, _shown, column, value, constraint) =>
      db.rollback(async ({ em }) => {
        await expect(write(em, column, value)).rejects.toMatchObject({ constraint });
      }),
  );

  test.each(accepted.map((one) => [one[0], shown(one[1]), ...one] as const))(
    '%s takes %s',
    (_column, _shown, column, value) =>
      db.rollback(async ({ em }) => {
        expect(await write(em, column, value)).toMatchObject({ affectedRows: 1 });
      }),
  );

  test.each(Object.keys(json).filter((column) => json[column] === 'required'))(
    '%s must hold something',
    (column) =>
      db.rollback(async ({ em }) => {
        await expect(write(em, column, null)).rejects.toMatchObject({ cause: { code: '23502' } });
      }),
  );

  test('no CHECK of the database is without a case here', async () => {
    const rows = await db.orm.em.execute<{ name: string }[]>(
      `select conname as name from pg_constraint where contype = 'c' and connamespace = 'public'::regnamespace`,
    );

    expect([...new Set(refused.map(([, , constraint]) => constraint))].toSorted()).toEqual(
      rows.map(({ name }) => name).toSorted(),
    );
  });
});
