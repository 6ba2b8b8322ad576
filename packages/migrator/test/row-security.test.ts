import { describe, expect, onTestFinished, test } from 'vitest';
import { Migrator } from 'mikro-orm-safe-migrations';
import { emptyDatabase, migratorOn, ormOn, type TestDatabase } from './kit/database.ts';
import type { Migrations } from './project.ts';

const log = 'mikro_orm_migrations';
const A = 'Migration20260101000000_a';
const B = 'Migration20260102000000_b';
const C = 'Migration20260103000000_c';

/** The second one must never run twice. */
const chain: Migrations = {
  [A]: {
    up: ['create table account (cents int)', 'insert into account values (5)'],
    down: ['drop table account'],
  },
  [B]: {
    up: ['update account set cents = cents * 100'],
    down: ['update account set cents = cents / 100'],
    transactional: false,
  },
  [C]: { up: ['create table c ()'], down: ['drop table c'] },
};

describe('a table of which a role sees a part is refused before the first statement', () => {
  test.each([
    [
      'row security on the log',
      `alter table ${log} enable row level security`,
      /row-level security applies to "public"\."mikro_orm_migrations"/,
    ],
    [
      'row security on the log that shows some rows',
      `alter table ${log} enable row level security; create policy a_part on ${log} for select using (name < '${B}');
       create policy any_new on ${log} for insert with check (true)`,
      /row-level security applies to "public"\."mikro_orm_migrations"/,
    ],
    [
      'row security on the history',
      'alter table migrator.history enable row level security',
      /row-level security applies to "migrator"\."history"/,
    ],
    [
      'row security on the progress',
      'alter table migrator.progress enable row level security',
      /row-level security applies to "migrator"\."progress"/,
    ],
    [
      'row security on the lease',
      'alter table migrator.lease enable row level security',
      /row-level security applies to "migrator"\."lease"/,
    ],
    [
      'a view in place of the log',
      `grant all on schema public to role_of_test; alter table ${log} rename to all_of_it; create view ${log} as select * from all_of_it where name < '${B}'`,
      /"mikro_orm_migrations" is a view/,
    ],
    [
      'a foreign table in place of the log',
      `drop table ${log}; create foreign data wrapper w; create server s foreign data wrapper w;
       create foreign table ${log} (id int, name text, executed_at timestamptz) server s`,
      /"mikro_orm_migrations" is a foreign table/,
    ],
    [
      'a rule of the log that discards rows',
      `create rule r as on insert to ${log} do instead nothing`,
      /"mikro_orm_migrations" has a rewrite rule/,
    ],
    [
      'a role that may not write to the log',
      `revoke insert on ${log} from role_of_test`,
      /lacks insert on "public"\."mikro_orm_migrations"/,
    ],
    [
      'a role that may not write to the progress',
      `revoke delete on migrator.progress from role_of_test`,
      /lacks delete on "migrator"\."progress"/,
    ],
    [
      'a role that may not use the sequence of the log',
      `revoke all on all sequences in schema public from role_of_test`,
      /lacks insert on "public"\."mikro_orm_migrations".* sequence/,
    ],
  ])('%s', async (_, change, message) => {
    const db = await emptyDatabase();
    await migratorOn(db, chain).up({ to: B });
    const [role, name] = await ordinaryRole(db);
    await db.orm.em.execute(change.replaceAll('role_of_test', `"${name}"`));

    const refused = migratorOn(role, chain).up();

    await expect(refused).rejects.toMatchObject({ code: 'refused', message: expect.stringMatching(message) });
    expect(await db.orm.em.execute('select cents from account')).toEqual([{ cents: 500 }]);
    expect(await db.orm.em.execute(`select to_regclass('c') as c`)).toEqual([{ c: null }]);
  });

  test('also for status and down, and for an owner with forced row security', async () => {
    const db = await emptyDatabase();
    const [role, name] = await ordinaryRole(
      db,
      `grant create on schema public to "%"; grant create on database "${db.target.parts.database}" to "%"`,
    );
    await migratorOn(role, chain).up({ to: B });
    await db.orm.em.execute(`alter table ${log} enable row level security, force row level security`);
    const message = expect.stringContaining(`for role ${name}`);

    const migrator = migratorOn(role, chain);

    await expect(migrator.status()).rejects.toMatchObject({ code: 'refused', message });
    await expect(migrator.down()).rejects.toMatchObject({ code: 'refused', message });
    await expect(migrator.redo()).rejects.toMatchObject({ code: 'refused', message });
    await db.orm.em.execute(`alter table ${log} no force row level security`);
    expect(await migrator.up()).toMatchObject([{ name: C }]);
  });

  test('but not where the role sees all: as a superuser, or with bypassrls', async () => {
    const db = await emptyDatabase();
    await migratorOn(db, chain).up({ to: A });
    await db.orm.em.execute(`alter table ${log} enable row level security, force row level security`);

    expect(await migratorOn(db, chain).up({ to: B })).toMatchObject([{ name: B }]);
    const [role, name] = await ordinaryRole(db, 'grant create on schema public to "%"');
    await db.orm.em.execute(`alter role "${name}" bypassrls`);
    expect(await migratorOn(role, chain).up()).toMatchObject([{ name: C }]);
  });
});

test('a trigger that discards the row of the log rolls the migration back', async () => {
  const db = await emptyDatabase();
  await migratorOn(db, chain).up({ to: B });
  await db.orm.em.execute(
    `create function discard() returns trigger language plpgsql as 'begin return null; end';
     create trigger discard before insert or delete on ${log} for each row execute function discard()`,
  );

  await expect(migratorOn(db, chain).up()).rejects.toThrow(
    'a trigger of "public"."mikro_orm_migrations" discards',
  );
  await expect(migratorOn(db, chain).down()).rejects.toThrow(
    'a trigger of "public"."mikro_orm_migrations" discards',
  );

  expect(await db.orm.em.execute(`select to_regclass('c') as c`)).toEqual([{ c: null }]);
});

describe('log and history are compared', () => {
  test('a row that is older than the last down of its migration is refused, with its remedy', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain);
    await migrator.up();
    await db.orm.em.execute(
      `create table copy as select * from ${log}; update copy set executed_at = executed_at - interval '1 minute'`,
    );
    await migrator.down();
    await db.orm.em.execute(`insert into ${log} select * from copy where name = '${C}'`);

    const [error] = await Promise.allSettled([migrator.up()]);

    const reason = error?.status === 'rejected' ? String(error.reason) : '';
    expect(reason).toContain(`${C} is in the log since`);
    await db.orm.em.execute(/delete from .*;/.exec(reason)?.[0] ?? '');
    expect(await migrator.up()).toMatchObject([{ name: C }]);
  });

  test('a row that is missing below later ones is refused, with its remedy', async () => {
    const db = await emptyDatabase();
    const migrator = migratorOn(db, chain);
    await migrator.up();
    await db.orm.em.execute(`delete from ${log} where name = '${B}'`);

    const [error] = await Promise.allSettled([migrator.up()]);

    const reason = error?.status === 'rejected' ? String(error.reason) : '';
    expect(reason).toContain(`the history says that these are applied`);
    await expect(migrator.planUp()).rejects.toThrow(B);
    expect(await db.orm.em.execute('select cents from account')).toEqual([{ cents: 500 }]);
    await db.orm.em.execute(/insert into .*;/.exec(reason)?.[0] ?? '');
    expect(await migrator.up()).toEqual([]);
  });

  test("the ORM's own down leaves a log that is accepted", async () => {
    const db = await emptyDatabase();
    const orm = ormOn(db, chain);
    await new Migrator(orm).up();

    await orm.migrator.down({ to: A });

    expect(await new Migrator(orm).up()).toMatchObject([{ name: B }, { name: C }]);
    await orm.migrator.down();
    await orm.migrator.up();
    await new Migrator(orm).down();
    await orm.migrator.up();
    expect(await new Migrator(orm).up()).toEqual([]);
  });
});

/** Returns the database by a role that owns nothing, and the role's name. */
async function ordinaryRole(
  { orm: { em }, target, url: own }: TestDatabase,
  more = '',
): Promise<[{ url: string }, string]> {
  const role = `role_${target.parts.database}`;
  await em.execute(`create role "${role}" login password 'secret'`);
  const [{ made } = { made: false }] = await em.execute<{ made: boolean }[]>(
    `select to_regnamespace('migrator') is not null as made`,
  );
  await em.execute(`grant all on schema ${made ? 'migrator, ' : ''}public to "${role}"`);
  if (made)
    await em.execute(
      `grant all on all tables in schema migrator, public to "${role}"; grant all on all sequences in schema public to "${role}"`,
    );
  if (more !== '') await em.execute(more.replaceAll('"%"', `"${role}"`));
  onTestFinished(async () => {
    await em.execute(`drop owned by "${role}" cascade; drop role "${role}"`);
  });
  const url = new URL(own);
  [url.username, url.password] = [role, 'secret'];
  return [{ url: url.href }, role];
}
