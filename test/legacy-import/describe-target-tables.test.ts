import { expect, test } from 'vitest';
import { MikroORM, defineEntity, p } from '@mikro-orm/postgresql';
import { ormOptions } from '../../src/postgres/orm/orm-options.ts';
import { createOfflineOrm } from '../../src/postgres/orm/offline-orm.ts';
import { parseCheck } from '../../src/legacy-import/destination/parse-check.ts';
import { describeTargetTables } from '../../src/legacy-import/destination/describe-target-tables.ts';
import { parseDatabaseUrl } from '../../src/settings/database-url.ts';
import { legacyTables } from './legacy-shape.ts';

test('the target has every table and column of the legacy schema', () => {
  const places = Object.fromEntries(
    describeTargetTables(createOfflineOrm().getMetadata()).map(({ name, columns }) => [
      name,
      columns.map((column) => column.name).toSorted(),
    ]),
  );

  expect(places).toEqual(
    Object.fromEntries(
      Object.entries(legacyTables).map(([name, columns]) => [
        name,
        columns.map((column) => column.name).toSorted(),
      ]),
    ),
  );
});

test('tables and columns added after the legacy schema are ignored', () => {
  const experiment = defineEntity({
    name: 'Experiment',
    tableName: 'experiments',
    properties: { id: p.text().primary(), name: p.text(), priority: p.smallint().default(0) },
  });
  const tag = defineEntity({ name: 'Tag', tableName: 'tags', properties: { id: p.uuid().primary() } });
  const nowhere = parseDatabaseUrl('postgresql://nobody@localhost/none', 'url');
  const orm = new MikroORM({ ...ormOptions(nowhere), entities: [experiment, tag] });

  const places = describeTargetTables(orm.getMetadata());

  expect(places.map(({ name, columns }) => [name, ...columns.map((column) => column.name)])).toEqual([
    ['experiments', 'id', 'name'],
  ]);
});

test('parents come before children', () => {
  const tables = describeTargetTables(createOfflineOrm().getMetadata());
  const names = tables.map(({ name }) => name);

  const backward = tables.flatMap(({ name, columns }) =>
    columns.filter(({ references }) => references && names.indexOf(references.table) > names.indexOf(name)),
  );

  expect(backward).toEqual([]);
});

test('every CHECK constraint of these tables is parsed, so that a dry run evaluates it', () => {
  const metadata = [...createOfflineOrm().getMetadata().getAll().values()];
  const checks = metadata.flatMap((meta) => (meta.tableName in legacyTables ? meta.checks : []));

  expect(checks.length).toBeGreaterThan(50);
  expect(
    checks.filter(({ name = '', expression }) => !parseCheck(name, expression)).map(({ name }) => name),
  ).toEqual([]);
});

test.for([
  [`name ~ '\\S'`, ' \t\n', ' x'],
  [`char_length(name) <= 3`, '😀😀😀😀', '😀😀😀'],
  [`rate >= '0'::double precision and rate <= '1'::double precision`, '1.5', '1'],
  [`rate >= '0'::double precision and rate <= '1'::double precision`, 'NaN', '0'],
  [`count >= 0`, '-1', '0'],
  [`"status" in ('a', 'b')`, 'c', 'b'],
  [`jsonb_typeof(data) = 'object'`, 'array', 'object'],
  [`id <> ''`, '', 'x'],
] as const)('%s refuses %j and takes %j', ([expression, isViolatedBy, kept]) => {
  const check = parseCheck('chk', expression);

  expect([check?.rule.isViolatedBy(isViolatedBy), check?.rule.isViolatedBy(kept)]).toEqual([true, false]);
});
