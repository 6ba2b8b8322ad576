import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { createdProject, firstMigration, outcomeOf, tableOf, valuesOf } from './created-project.ts';

// The ORM's types lack objects, which people write.
function asDefault(property: { default: (value: never) => unknown }, value: object): unknown {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return property.default(value as never);
}

const text = (value: string) => [p.text().default(value), value] as const;

describe('a default is the value that the entity names', () => {
  test.each<[string, unknown, unknown]>([
    ['a quote', ...text(`it's`)],
    ['only a quote', ...text(`'`)],
    ['what looks like an expression', ...text(`a' || 'b`)],
    ['what would end the statement', ...text(`'); drop table t; --`)],
    ['a backslash', ...text(String.raw`a\b`)],
    ['a backslash before a quote', ...text(String.raw`a\'b`)],
    ['line ends', ...text('one\ntwo\r\nthree\rfour')],
    ['a blank line and semicolons', ...text('one;\n\n two; three')],
    ['$1, %, ? and :name', ...text('$1 % %s ? :name $$ $& $`')],
    ['back-ticks and ${}', ...text('`${1}` ${')],
    ['other letters', ...text('Ünï ☃ 😀 \u2028')],
    ['a comment', ...text('/* a */ -- b')],
    ['an empty text', ...text('')],
    ['a quote that is doubled already', p.text().default(`it''s`), `it's`],
    ['raw SQL', p.text().defaultRaw(`upper('it''s')`), `IT'S`],
    ['an enum', p.enum([`it's`, 'b']).default(`it's`), `it's`],
    ['a native enum', p.enum([`it's`, 'b']).nativeEnumName('word').default(`it's`), `it's`],
    [
      'an array',
      p.array().columnType('text[]').default([`it's`, 'a,b', '"', '\\']),
      [`it's`, 'a,b', '"', '\\'],
    ],
    [
      'JSON as a text',
      p.json().default(JSON.stringify({ its: `it's`, b: ['\\', '`${x}`'] })),
      { its: `it's`, b: ['\\', '`${x}`'] },
    ],
    ['JSON as an object', asDefault(p.json(), { its: `it's` }), { its: `it's` }],
    ['a number', p.integer().default(-7), -7],
    ['a boolean', p.boolean().default(false), false],
    ['not a number', p.double().default(Number.NaN), 'NaN'],
  ])('%s', async (_, property, expected) => {
    const { db, migrator } = await createdProject({
      made: ['create table t (id serial primary key)'],
      rows: ['insert into t default values'],
      entities: [tableOf('t', { v: property })],
    });
    const before = await readCatalog(db.orm);

    expect(await outcomeOf(migrator.up())).toBe('done');
    await db.orm.em.execute('insert into t default values');

    const values = (await valuesOf(db, 'select v from t')).map((line) => JSON.parse(line) as unknown);
    expect(values).toEqual([{ v: expected }, { v: expected }]);
    expect(await migrator.check()).toMatchObject({ agrees: true });
    expect(await outcomeOf(migrator.down({ to: firstMigration }))).toBe('done');
    expect(await readCatalog(db.orm)).toEqual(before);
  });
});

const size = () => p.enum(['small', 'large', `it's`]).nativeEnumName('size');

describe('a new value of a native enum is used in a second migration', () => {
  const made = [
    `create type "size" as enum ('small', 'large')`,
    `create table "t" ("id" serial primary key, "size" "size" not null default 'small', "n" int null)`,
  ];
  const n = p.integer().nullable();
  test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    ['a default', { size: size().default(`it's`), n }, {}],
    ['the default of a new column', { size: size().default('small'), n, next: size().default(`it's`) }, {}],
    [
      'a check',
      { size: size().default('small'), n },
      { checks: [{ name: 't_size', expression: `size <> 'it''s' or n > 0` }] },
    ],
    [
      'the predicate of an index',
      { size: size().default('small'), n },
      { indexes: [{ name: 't_its', expression: `create index "t_its" on "t" ("n") where size = 'it''s'` }] },
    ],
    [
      'an expression of an index',
      { size: size().default('small'), n },
      { indexes: [{ name: 't_is', expression: `create index "t_is" on "t" ((size = 'it''s'))` }] },
    ],
    [
      'a generated column',
      { size: size().default('small'), n, its: p.boolean().nullable().generated(`(size = 'it''s') stored`) },
      {},
    ],
  ])('%s', async (_, properties, options) => {
    const { db, migrator, created, source } = await createdProject({
      made,
      rows: [`insert into t (size, n) values ('large', 1), ('small', null)`],
      entities: [tableOf('t', properties, options)],
    });
    const before = await valuesOf(db, 'select id, size, n from t order by id');
    const values = () => valuesOf(db, 'select id, size, n from t order by id');

    expect(created?.preceding).toEqual([
      {
        name: expect.stringMatching(/^Migration\d{14}_change_values$/),
        path: expect.stringMatching(/_change_values\.ts$/),
      },
    ]);
    expect(created?.name).toMatch(/^Migration\d{14}_change$/);
    expect((created?.preceding[0]?.name ?? '') < (created?.name ?? '')).toBe(true);
    expect(source.match(/add value/g)).toHaveLength(1);
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await values()).toEqual(before);
    expect(await migrator.check()).toMatchObject({ agrees: true });

    expect(await outcomeOf(migrator.down({ steps: 2 }))).toBe('done');
    expect(await values()).toEqual(before);
    expect(await outcomeOf(migrator.up())).toBe('done');
    expect(await values()).toEqual(before);
  });

  test('but in one where nothing uses it', async () => {
    const { migrator, created } = await createdProject({
      made,
      entities: [tableOf('t', { size: size().default('small'), n })],
    });

    expect(created?.preceding).toEqual([]);
    expect(await outcomeOf(migrator.up())).toBe('done');
  });

  test('a value that was removed is refused with the reason, also beside other changes', async () => {
    const entities = [
      tableOf('t', {
        size: p.enum(['small']).nativeEnumName('size').default('small'),
        n,
        more: p.text().nullable(),
      }),
    ];

    await expect(createdProject({ made, entities })).rejects.toThrow(
      /by hand.*type size: values 'small', 'large' by the migrations, 'small'/s,
    );
  });
});
