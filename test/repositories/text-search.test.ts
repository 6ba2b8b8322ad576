import { randomBytes } from 'node:crypto';
import { sql } from 'kysely';
import { Migrator } from 'mikro-orm-safe-migrations';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containsText, type TextCollation } from '../../src/repositories/read-model/contains-text.ts';
import { sharedCoordinates } from '../../src/testing/allocate-database.ts';
import { TestDatabase } from '../../src/testing/index.ts';
import { optionalMigrations } from '../schema/migration-chain.ts';

const stored = [
  'José',
  // Decomposed.
  'JOSE\u0301',
  'igor',
  'IGOR',
  'Straße',
  'ΣΊΣΥΦΟΣ',
  'Σίσυφος',
  '100% sure',
  'wide 5\uff05',
  'a_b',
  'c!d',
  'plain',
] as const;

/** What is found by each text, in any database. */
const found: readonly (readonly [text: string, names: readonly string[]])[] = [
  ['josé', ['José', 'JOSE\u0301']],
  ['JOSÉ', ['José', 'JOSE\u0301']],
  ['jose\u0301', ['José', 'JOSE\u0301']],
  ['igor', ['igor', 'IGOR']],
  ['IGOR', ['igor', 'IGOR']],
  ['straße', ['Straße']],
  ['σίσυφος', ['ΣΊΣΥΦΟΣ', 'Σίσυφος']],
  ['%', ['100% sure', 'wide 5\uff05']],
  ['\uff05', ['100% sure', 'wide 5\uff05']],
  ['_', ['a_b']],
  ['!', ['c!d']],
];

// Of databases, PostgreSQL has them since version 15.
const hasIcu = Number.parseInt(sharedCoordinates().version, 10) >= 15;
const locales = [
  ['C', `locale 'C'`],
  ['Turkish', `locale 'C' locale_provider icu icu_locale 'tr-TR'`],
  ['English', `locale 'C' locale_provider icu icu_locale 'en-US'`],
] as const;

describe.for(locales.slice(0, hasIcu ? locales.length : 1))('in a database in %s', ([, options]) => {
  const name = `text_${randomBytes(6).toString('hex')}`;
  let server: TestDatabase;
  let db: TestDatabase;
  beforeAll(async () => {
    server = await TestDatabase.create();
    await server.orm.em.fork().execute(`create database ${name} template template0 encoding utf8 ${options}`);
    const url = new URL(server.url);
    url.pathname = name;
    db = await TestDatabase.open(url.href, async () => {
      await server.orm.em.fork().execute(`drop database ${name} with (force)`);
    });
    await db.orm.schema.create();
    await db.transact(async ({ synths }) => {
      for (const [index, one] of stored.entries())
        synths.add({ id: `syn_${index}`, name: 'n', description: one, synthGroup: null });
    });
  });
  afterAll(async () => {
    await db.drop();
    await server.drop();
  });

  test.each(found)('"%s" finds the same', async (text, names) => {
    const [page, count] = await db.read(async ({ synths }) => [
      await synths.pageSummaries({ text }),
      await synths.count({ text }),
    ]);

    expect(new Set(page.data.map(({ description }) => description))).toEqual(new Set(names));
    expect(count).toBe(names.length);
  });

  test.each<TextCollation>(['und-x-icu', 'pg_c_utf8'])('and so it does by %s', async (collation) => {
    const em = db.orm.em.fork();
    const provided = await em.execute('select 1 from pg_collation where collname = ?', [collation]);
    if (provided.length === 0) return;

    for (const [text, names] of found) {
      const condition = containsText([sql.ref('nome'), sql.ref('descricao')], text, collation);
      const { rows } = await sql<{
        descricao: string;
      }>`select descricao from synths where ${condition}`.execute(em.getKysely());
      expect(new Set(rows.map(({ descricao }) => descricao))).toEqual(new Set(names));
    }
  });
});

test('a database in another encoding is searched by its locale', async () => {
  const name = `text_${randomBytes(6).toString('hex')}`;
  const server = await TestDatabase.create();
  await server.orm.em.fork().execute(`create database ${name} template template0 encoding latin1 locale 'C'`);
  const url = new URL(server.url);
  url.pathname = name;
  const db = await TestDatabase.open(url.href, async () => {
    await server.orm.em.fork().execute(`drop database ${name} with (force)`);
  });
  try {
    await db.orm.schema.create();
    await db.transact(async ({ synths }) => {
      for (const one of ['Silva', '100%', 'a!b', 'x']) synths.add({ id: one, name: one, synthGroup: null });
    });

    const ids = async (text: string): Promise<string[]> => {
      const { data } = await db.read(({ synths }) => synths.pageSummaries({ text }));
      return data.map(({ id }) => id);
    };

    expect(await ids('SILVA')).toEqual(['Silva']);
    expect(await ids('%')).toEqual(['100%']);
    expect(await ids('!')).toEqual(['a!b']);
  } finally {
    await db.drop();
    await server.drop();
  }
});

describe('with the optional index of trigrams', () => {
  const searched = 'c4ca4238';
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
    const em = db.orm.em.fork();
    await em.execute(`
      insert into synths (id, nome, descricao)
      select 'syn_' || i, case when i % 7 = 0 then 'José ' || i else 'n' || i end, md5(i::text) from generate_series(1, 5000) i`);
    await new Migrator(db.orm).up({ optional: [...optionalMigrations] });
    await em.execute('vacuum analyze synths');
  });
  afterAll(() => db.drop());

  test('a search for a rare text reads the index, and finds the same', async () => {
    const { data } = await db.read(({ synths }) => synths.pageSummaries({ text: searched.toUpperCase() }));
    expect(data.map(({ id }) => id)).toEqual(['syn_1']);
    expect(await db.read(({ synths }) => synths.count({ text: 'josé 4998' }))).toBe(1);
    const em = db.orm.em.fork();
    // The statistics of a session are sent when it is idle.
    await expect
      .poll(async () => {
        await em.execute('select pg_stat_clear_snapshot()');
        return em.execute(
          `select idx_scan > 0 as used from pg_stat_user_indexes where indexrelname = 'idx_synths_text'`,
        );
      })
      .toEqual([{ used: true }]);
  });
});
