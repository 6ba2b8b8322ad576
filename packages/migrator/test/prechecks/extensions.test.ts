import { describe, expect, test } from 'vitest';
import { createdExtensions } from '../../src/sql/created-extensions.ts';
import { emptyDatabase, migratorOn } from '../kit/database.ts';
import { createRole } from '../kit/roles.ts';
import type { Migrations } from '../project.ts';
import { conditionsOf } from '../three-tables.ts';

const table = { up: ['create table books (title text)'], down: ['drop table books'] };
const chainWith = (...up: string[]): Migrations => ({ M1: table, M2: { up } });

describe('the extensions that a text creates', () => {
  test.each([
    ['create extension pg_trgm', ['pg_trgm']],
    [
      'create extension if not exists "uuid-ossp" schema x cascade; create extension hstore',
      ['uuid-ossp', 'hstore'],
    ],
    [
      `do $$ begin
         if not exists (select from pg_extension where extname = 'pg_trgm') then
           create extension pg_trgm;
           comment on extension pg_trgm is 'create extension no';
         end if;
       end $$`,
      ['pg_trgm'],
    ],
    [`do 'begin create extension hstore; end'`, ['hstore']],
    [`insert into notes values ('create extension pg_trgm') -- create extension x`, []],
    [`drop extension pg_trgm; alter extension hstore update; comment on extension hstore is 'x'`, []],
    [`do $$ begin execute 'create extension ' || 'x'; end $$`, []],
  ])('%s', async (sql, names) => {
    expect(await createdExtensions(sql)).toEqual(names);
  });
});

describe('an extension that the server does not have', () => {
  test.each([
    ['create extension if not exists no_such_extension'],
    [`do $$ begin create extension no_such_extension; end $$`],
  ])('refuses a run and a plan before anything is applied: %s', async (sql) => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chainWith(sql));
    const says =
      'M2 creates the extension no_such_extension, which this server does not have: install the package that has it there, and retry';

    await expect(migrator.up()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(says),
    });
    await expect(migrator.planUp()).rejects.toThrow(says);

    expect(await conditionsOf(migrator)).toEqual(['pending', 'pending']);
  });

  test('of an optional migration refuses only a run that names it', async () => {
    const db = await emptyDatabase();
    const optional = { up: ['create extension no_such_extension'], optional: 'x' };
    const migrator = migratorOn(db, { M1: table, M2: optional });

    await expect(migrator.up({ optional: ['M2'] })).rejects.toThrow('M2 creates the extension');
    expect(await conditionsOf(migrator)).toEqual(['pending', 'optional']);
    expect(await migrator.up()).toMatchObject([{ name: 'M1' }]);
  });
});

describe('an extension that a role may not create', () => {
  test('is refused with what to grant, and taken where it is there', async () => {
    const db = await emptyDatabase();
    const chain = chainWith('create extension if not exists pg_trgm');
    await migratorOn(db, chain).up({ to: 'M1' });
    const role = await createRole(db);
    await db.orm.em.execute(
      `grant usage on schema migrator to "${role.name}"; grant all on all tables in schema migrator, public to "${role.name}";
       grant all on all sequences in schema migrator, public to "${role.name}"`,
    );
    const { database } = db.target.parts;

    await expect(migratorOn(role, chain).up()).rejects.toMatchObject({
      code: 'refused',
      message: expect.stringContaining(
        `M2 creates the extension pg_trgm, which role ${role.name} may not create: grant create on database ${database} to ${role.name}, or`,
      ),
    });
    expect(await conditionsOf(migratorOn(role, chain))).toEqual(['applied', 'pending']);

    await db.orm.em.execute('create extension pg_trgm');
    expect(await migratorOn(role, chain).up()).toMatchObject([{ name: 'M2' }]);
  });

  test('is created once that is granted', async () => {
    const db = await emptyDatabase();
    const chain = chainWith('create extension if not exists pg_trgm');
    const role = await createRole(db);
    await db.orm.em.execute(
      `grant create on database "${db.target.parts.database}" to "${role.name}"; grant create on schema public to "${role.name}"`,
    );

    expect(await migratorOn(role, chain).up()).toHaveLength(2);
  });
});
