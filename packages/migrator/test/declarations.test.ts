import { Migration } from '@mikro-orm/migrations';
import { describe, expect, test } from 'vitest';
import { readDeclarations, isDeclaredBy } from '../src/files/declarations.ts';
import { migrationFiles } from '../src/files/migration-files.ts';
import { projectOn } from './project.ts';

async function declarations(properties: object) {
  const Declaring = Object.assign(
    class extends Migration {
      up(): void {}
    },
    properties,
  );
  const orm = projectOn('postgresql://localhost/none', {}, {});
  orm.config.get('migrations').migrationsList = [{ name: 'M', class: Declaring }];
  const [file] = await migrationFiles(orm);
  if (!file) throw new Error('it has no migration');
  return readDeclarations('M', await file.make());
}

test('reads what is lost and refused, and the reasons of silenced rules', async () => {
  const found = await declarations({
    loses: ['orders.note: archived', 'shop."Old.Orders": kept: elsewhere'],
    refuses: ['customers.email: two rows with one address'],
    lint: { 'drop-table': ' the last reader is gone ' },
  });

  expect(found.loses).toMatchObject([
    { parts: ['orders', 'note'], reason: 'archived' },
    { parts: ['shop', 'Old.Orders'], reason: 'kept: elsewhere' },
  ]);
  expect(found.refuses).toMatchObject([{ parts: ['customers', 'email'] }]);
  expect(found.lint).toEqual({ 'drop-table': 'the last reader is gone' });
});

test('a migration that declares nothing has empty declarations', async () => {
  expect(await declarations({})).toEqual({ loses: [], refuses: [], irreversible: null, lint: {} });
});

describe('refuses', () => {
  test.each([
    [{ loses: 'orders' }, /^M: its `loses` is no list/],
    [{ loses: ['orders.note'] }, /`loses` has "orders.note"; write/],
    [{ loses: ['orders.note: '] }, /write static loses/],
    [{ refuses: [7] }, /`refuses` has 7/],
    [{ lint: ['add-check'] }, /its `lint` is no object/],
    [{ lint: { 'add-check': '' } }, /has no reason for add-check/],
  ])('%o', async (properties, message) => {
    await expect(declarations(properties)).rejects.toThrow(message);
  });
});

test.each([
  ['orders', 'public', 'orders', null, true],
  ['orders', 'public', 'orders', 'note', true],
  ['orders.note', 'public', 'orders', null, false],
  ['orders.note', 'public', 'orders', 'note', true],
  ['orders.note', 'public', 'orders', 'other', false],
  ['shop.orders', 'shop', 'orders', 'note', true],
  ['shop.orders.note', 'shop', 'orders', 'note', true],
  ['shop.orders.note', 'other', 'orders', 'note', false],
])('%s declares %s.%s, %s: %s', async (object, schema, table, column, expected) => {
  const { loses } = await declarations({ loses: [`${object}: why`] });

  expect(loses.some((one) => isDeclaredBy(one, { schema, table, column }))).toBe(expected);
});
