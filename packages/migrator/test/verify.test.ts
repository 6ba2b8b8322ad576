import { Migration } from '@mikro-orm/migrations';
import { describe, expect, test } from 'vitest';
import { Migrator, type VerifyProgress } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn } from './kit/database.ts';
import { createRole } from './kit/roles.ts';
import { readCatalog } from '../src/catalog/catalog.ts';
import type { Migrations } from './project.ts';
import { findingsOf } from './verify/run.ts';

import { certificateOf, people } from './verify/certificate-of.ts';

const withNote = {
  up: ['alter table person add nick text'],
  down: ['alter table person drop nick'],
};

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
      ['the whole chain', 'lossy as declared'],
    ]);
    expect(steps).toContainEqual({ migration: 'M2', number: 2, count: 4, step: 'rows: edges' });
    expect(steps).toContainEqual({
      migration: 'the whole chain',
      number: 4,
      count: 4,
      step: 'down, 3 of 3',
    });
  });

  test('runs the whole chain down and up, for what a later migration leaves to an earlier one', async () => {
    const db = await emptyDatabase();
    const refusing = `do $$ begin if exists (select from pg_largeobject_metadata) then raise exception 'large objects'; end if; end $$`;

    const certificates = await migratorOn(db, {
      ...chain,
      M1: { up: people, down: [refusing, 'drop table person'], loses: ['person: dropped'] },
      M4: { up: ['select lo_create(0)'], down: [] },
    }).verify();

    expect(certificates.slice(0, -1).filter((one) => one.certificate === 'failed')).toEqual([]);
    expect(certificates.at(-1)).toMatchObject({
      migration: 'the whole chain',
      certificate: 'failed',
      failures: [expect.stringContaining('down of M1 fails in the chain: SQLSTATE P0001 at')],
    });
  });

  test('runs the migrations after one that can not be reverted as a whole', async () => {
    const db = await emptyDatabase();

    const certificates = await migratorOn(db, {
      ...chain,
      M2: { up: ['alter table person add nick text'], down: null, irreversible: 'nicks are for ever' },
    }).verify();

    expect(certificates.map((one) => one.certificate)).toEqual([
      'lossy as declared',
      'irreversible as declared',
      'lossless',
      // Without the loss of the first, which is not reverted.
      'lossless',
    ]);
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
