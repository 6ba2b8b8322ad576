import { Migration } from '@mikro-orm/migrations';
import { describe, expect, test } from 'vitest';
import { Migrator, type Certificate, type VerifyProgress } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn } from './kit/database.ts';
import { createRole } from './kit/roles.ts';
import { readCatalog } from '../src/catalog/catalog.ts';
import type { Migrations } from './project.ts';
import { findingsOf } from './verify/run.ts';

const people = ['create table person (id int primary key, name text not null, note text)'];
const withNote = {
  up: ['alter table person add nick text'],
  down: ['alter table person drop nick'],
};

/** Verifies the last migration of a chain that begins with a table. */
async function certificateOf(
  last: Migrations[string],
  before: Migrations = { M1: { up: people } },
): Promise<Certificate> {
  const db = await emptyDatabase();
  const [certificate] = await migratorOn(db, { ...before, M9: last }).verify({ migrations: ['M9'] });
  if (!certificate) throw new Error('no certificate');
  return certificate;
}

describe('a certificate', () => {
  test.each<
    [what: string, last: Migrations[string], certificate: Certificate['certificate'], finds: string[]]
  >([
    ['of a new index', { up: ['create index i on person (name)'], down: ['drop index i'] }, 'lossless', []],
    [
      'of a new index, made concurrently',
      {
        up: ['create index concurrently i on person (name)'],
        down: ['drop index concurrently i'],
        transactional: false,
      },
      'lossless',
      [],
    ],
    ['of a new column', withNote, 'failed', ['loses person.nick']],
    [
      'of a new column that is declared',
      { ...withNote, loses: ['person.nick: dropped'] },
      'lossy as declared',
      [],
    ],
    [
      'of a new column whose table is declared',
      { ...withNote, loses: ['person: all'] },
      'lossy as declared',
      [],
    ],
    [
      'of another column that is declared',
      { ...withNote, loses: ['person.name: dropped'] },
      'failed',
      ['loses person.nick'],
    ],
    [
      'without a way back',
      { up: ['alter table person drop note'], down: null },
      'failed',
      ["fails: it has no down: write one, or declare static irreversible = 'why'", 'loses person.note'],
    ],
    [
      'without a way back, as declared',
      {
        up: ['alter table person drop note'],
        down: null,
        irreversible: 'nobody reads notes',
        loses: ['person.note: dropped'],
      },
      'irreversible as declared',
      [],
    ],
    [
      'of rows that up refuses',
      {
        up: ['alter table person alter note set not null'],
        down: ['alter table person alter note drop not null'],
      },
      'failed',
      ['refuses person.note'],
    ],
    [
      'of rows that up refuses, as declared',
      {
        up: ['alter table person alter note set not null'],
        down: ['alter table person alter note drop not null'],
        refuses: ['person.note: there are none'],
      },
      'lossless',
      [],
    ],
    [
      'of statements that fail',
      { up: ['create index i on person (name)'], down: ['drop index j'] },
      'failed',
      ['fails: down fails without rows: index "j" does not exist (42704) at "drop index j"'],
    ],
    [
      'of code that raises an exception for a row',
      {
        up: [
          `do $$ begin if exists (select from person where note = 'stop') then raise exception 'no'; end if; end $$`,
        ],
      },
      'failed',
      ['refuses person'],
    ],
  ])('%s', async (_, last, expected, finds) => {
    const certificate = await certificateOf(last);

    expect(findingsOf(certificate)).toEqual(finds);
    expect(certificate.certificate).toBe(expected);
  });

  test('keeps what up and what down refuses apart', async () => {
    const certificate = await certificateOf({
      up: ['alter table person alter name type varchar(100)'],
      down: ['alter table person alter name type varchar(40)'],
    });

    expect(certificate.refusesUp).toMatchObject([{ object: 'person.name', declared: null }]);
    expect(certificate.refusesDown).toMatchObject([{ object: 'person.name', declared: null }]);
  });

  test('names declarations that no row confirms, and does not fail for them', async () => {
    const certificate = await certificateOf({
      up: ['create index i on person (name)'],
      down: ['drop index i'],
      loses: ['person.note: it is dropped'],
    });

    expect(certificate).toMatchObject({
      certificate: 'lossless',
      notSeen: ['person.note: it is dropped'],
    });
  });

  test('names tables for which no row can be made', async () => {
    const certificate = await certificateOf(
      { up: ['create index i on never (id)'], down: ['drop index i'] },
      { M1: { up: ['create table never (id int not null check (id > 5 and id < 3))'] } },
    );

    expect(certificate).toMatchObject({ certificate: 'lossless', notCovered: ['never'] });
  });

  test('says in which direction and row a value was changed', async () => {
    const certificate = await certificateOf({ up: ['update person set name = upper(name)'] });

    expect(certificate.loses).toMatchObject([
      { object: 'person.name', what: expect.stringMatching(/^".*" becomes ".*"$/), declared: null },
    ]);
    expect(certificate.loses[0]?.rows).toBeGreaterThan(3);
  });
});

test('verifies what queries the database', async () => {
  const db = await emptyDatabase();
  const orm = ormOn(db, { M1: { up: people } });
  class M2 extends Migration {
    override async up(): Promise<void> {
      const rows = await this.execute('select id from person order by id limit 1');
      for (const { id } of rows) this.addSql(`delete from person where id = ${id}`);
    }
    override down(): void {}
  }
  const { migrationsList = [], ...others } = orm.config.get('migrations');
  orm.config.set('migrations', { ...others, migrationsList: [...migrationsList, { name: 'M2', class: M2 }] });

  const [certificate] = await new Migrator(orm).verify({ migrations: ['M2'] });

  expect(certificate && findingsOf(certificate)).toEqual(['loses person']);
});

describe('verify', () => {
  const chain: Migrations = {
    M1: { up: people, down: ['drop table person'], loses: ['person: dropped'] },
    M2: { ...withNote, loses: ['person.nick: dropped'] },
    M3: { up: ['create index i on person (nick)'], down: ['drop index i'] },
  };

  test('certifies the chain, each migration on the schema of those before, and reports progress', async () => {
    const db = await emptyDatabase();
    const steps: VerifyProgress[] = [];

    const certificates = await migratorOn(db, chain).verify({ onProgress: (step) => steps.push(step) });

    expect(certificates.map((one) => [one.migration, one.certificate])).toEqual([
      ['M1', 'lossy as declared'],
      ['M2', 'lossy as declared'],
      ['M3', 'lossless'],
    ]);
    expect(steps).toContainEqual({ migration: 'M2', number: 2, count: 3, step: 'rows: edges' });
  });

  test('gives the same certificates each time', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain);

    const [first, second] = [await migrator.verify(), await migrator.verify()];

    expect(first.map((one) => ({ ...one, durationMs: 0 }))).toEqual(
      second.map((one) => ({ ...one, durationMs: 0 })),
    );
  });

  test('changes nothing on the connected database', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, { M1: { up: people } }).up();
    await db.orm.em.execute(`insert into person values (1, 'Ann')`);
    const state = async () => [
      await readCatalog(db.orm, 'none'),
      await db.orm.em.execute('select * from person'),
      await db.orm.em.execute('select * from mikro_orm_migrations'),
    ];
    const before = await state();

    const certificates = await migratorOn(db, chain).verify({ migrations: 'pending' });

    expect(certificates.map(({ migration }) => migration)).toEqual(['M2', 'M3']);
    expect(await state()).toEqual(before);
  });

  test('verifies as a role that may only create databases', async () => {
    const db = await emptyDatabase();
    const role = await createRole(db, 'createdb');
    const certificate = async (last: Migrations[string]) =>
      (await migratorOn(role, { M1: { up: people }, M2: last }).verify({ migrations: ['M2'] })).map(
        findingsOf,
      );

    expect(await certificate({ up: ['create index i on person (name)'], down: ['drop index i'] })).toEqual([
      [],
    ]);
    expect(await certificate({ up: ['update person set name = upper(name)'] })).toEqual([
      ['loses person.name'],
    ]);
    // Without the right to set the rows aside, the first refusal ends a set.
    expect(await certificate({ up: ['alter table person alter note set not null'] })).toEqual([
      ['differs table person column note', 'refuses person.note'],
    ]);
  });

  test('refuses an unknown name', async () => {
    const db = await emptyDatabase();

    await expect(migratorOn(db, chain).verify({ migrations: ['M4'] })).rejects.toThrow(
      'there is no migration M4',
    );
  });

  test('refuses a declaration that is not of its form', async () => {
    await expect(certificateOf({ up: [], loses: ['person'] })).rejects.toThrow(
      `M9: its \`loses\` has "person"; write static loses = ['table.column: why']`,
    );
  });
});
