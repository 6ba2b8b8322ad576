import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { createdProject, referenceTo, tableOf, type Entities } from './created-project.ts';

const made = [
  'create table o (id serial primary key)',
  'create table t (id serial primary key, a int, b text not null, o_id int)',
];
const other = tableOf('o', {});
const t = (properties: Record<string, unknown> = {}, options: Record<string, unknown> = {}): Entities => [
  other,
  tableOf(
    't',
    { a: p.integer().nullable(), b: p.text(), oId: p.integer().nullable(), ...properties },
    options,
  ),
];

interface Case {
  readonly entities: Entities;
  readonly options?: Parameters<typeof createdProject>[0]['options'];
  readonly made?: readonly string[];
  /** The certificates of the files, and all that they declare, in their order. */
  readonly certificates: readonly string[];
  readonly declared: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'a new table': {
    entities: [...t(), tableOf('tags', { name: p.text() })],
    certificates: ['lossy as declared'],
    declared: ['tags: going back drops the table'],
  },
  'a new table that needs quotes, in another schema': {
    entities: [...t(), tableOf('Odd table', { name: p.text() }, { schema: 'shop' })],
    certificates: ['lossy as declared'],
    declared: ['shop."Odd table": going back drops the table'],
  },
  'a new column': {
    entities: t({ 'the "Note"': p.text().nullable().fieldName('the "Note"') }),
    certificates: ['lossy as declared'],
    declared: ['t."the ""Note""": going back drops the column'],
  },
  'a dropped column': {
    // The last one: another can't be put back in its place.
    entities: [other, tableOf('t', { a: p.integer().nullable(), b: p.text() })],
    options: { drops: ['t.o_id'] },
    certificates: ['lossy as declared'],
    declared: ['t.o_id: going up drops the column'],
  },
  'a dropped column that is required': {
    made: ['create table t (id serial primary key, b text not null)'],
    entities: [tableOf('t', {})],
    options: { drops: ['t.b'] },
    certificates: ['lossy as declared'],
    declared: ['t.b: going up drops the column', 't.b: going back requires a value'],
  },
  'a dropped table': {
    entities: [other],
    options: { drops: ['t'] },
    certificates: ['lossy as declared'],
    declared: ['t: going up drops the table'],
  },
  'a required column': {
    entities: t({ a: p.integer() }),
    // No row breaks a constraint that is there, but not validated.
    certificates: ['lossless', 'lossless'],
    declared: [],
  },
  'a unique column': {
    entities: t({ a: p.integer().nullable().unique('a_once') }),
    certificates: ['lossless', 'lossless'],
    declared: ['t.a: going up makes a_once unique'],
  },
  'a foreign key': {
    entities: [other, tableOf('t', { a: p.integer().nullable(), b: p.text(), o: referenceTo(other) })],
    certificates: ['lossless', 'lossless'],
    declared: [],
  },
  'a check': {
    entities: t({}, { checks: [{ name: 'a_positive', expression: 'a > 0' }] }),
    certificates: ['lossless', 'lossless'],
    declared: [],
  },
  'a narrower type': {
    entities: t({ a: p.smallint().nullable() }),
    certificates: ['lossless'],
    declared: ['t.a: going up refuses values that smallint does not hold'],
  },
  'a narrower type whose values may change': {
    entities: t({ b: p.string().length(3) }),
    options: { lossy: ['t.b'] },
    certificates: ['lossy as declared'],
    declared: ['t.b: going up changes values that character varying(3) does not hold'],
  },
  'a wider type': {
    entities: t({ a: p.bigint().nullable() }),
    certificates: ['lossless'],
    declared: ['t.a: going back refuses values that integer does not hold'],
  },
  'a default that differs from row to row': {
    entities: t({ token: p.uuid().defaultRaw('gen_random_uuid()') }),
    certificates: ['lossy as declared', 'lossy as declared', 'lossless'],
    declared: ['t.token: going back drops the column', 't.token: going back keeps what was filled'],
  },
  'a default that differs from row to row, where NULL is allowed': {
    entities: t({ token: p.uuid().nullable().defaultRaw('gen_random_uuid()') }),
    certificates: ['lossy as declared', 'lossy as declared'],
    declared: ['t.token: going back drops the column', 't.token: going back keeps what was filled'],
  },
  'another name': {
    entities: [
      other,
      tableOf('t', { a: p.integer().nullable(), label: p.text(), oId: p.integer().nullable() }),
    ],
    options: { renames: [{ from: 't.b', to: 't.label' }] },
    certificates: ['lossless'],
    declared: [],
  },
};

describe('createMigration verifies what it writes, and declares what it loses and refuses:', () => {
  test.each(Object.entries(cases))(
    '%s',
    async (_, { made: own = made, entities, options, certificates, declared }) => {
      const { created, source, migrator } = await createdProject({
        made: own,
        entities,
        options: { ...options, verify: true },
      });

      expect(created?.certificates.map(({ certificate }) => certificate)).toEqual(certificates);
      const entries = [...source.matchAll(/^ {4}(?:'((?:[^'\\]|\\.)*)'|"([^"]*)"),$/gm)];
      expect(entries.map(([, one, two = '']) => (one ?? two).replaceAll(/\\(.)/g, '$1'))).toEqual(declared);
      const found = await migrator.verify({
        migrations: created?.certificates.map(({ migration }) => migration) ?? [],
      });
      // What it would say when the files are verified.
      expect(found.map(({ certificate, notSeen }) => ({ certificate, notSeen }))).toEqual(
        certificates.map((certificate) => ({ certificate, notSeen: [] })),
      );
    },
  );
});

test('and reports what is wrong with it', async () => {
  const { created } = await createdProject({
    made,
    entities: [other, tableOf('t', { a: p.integer().nullable(), oId: p.integer().nullable() })],
    options: { drops: ['t.b'], verify: true },
  });

  expect(created).toMatchObject({
    certificates: [
      {
        certificate: 'failed',
        differences: [{ after: 'down', difference: { object: 'table t', fact: 'order of columns' } }],
      },
    ],
    findings: expect.arrayContaining([
      expect.objectContaining({ rule: 'drop-column', direction: 'up', object: 'column t.b' }),
    ]),
  });
});
