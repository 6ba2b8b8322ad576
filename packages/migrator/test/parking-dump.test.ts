import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';
import { park, unpark } from 'mikro-orm-safe-migrations';
import { expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import { differences } from '../src/catalog/differences.ts';
import { emptyDatabase, migratorOn, type TestDatabase } from './kit/database.ts';

const chain = {
  A: {
    up: [
      `create table things (id int primary key, note text not null check (note <> ''), "the Size" int)`,
      `comment on column things.note is 'it''s a note'`,
      'create index idx_note on things (lower(note))',
      `insert into things select n, 'note ' || n, n from generate_series(1, 1000) n`,
      'create table lonely (id int primary key, at timestamptz default now())',
      'insert into lonely values (1), (2)',
    ],
  },
  B: {
    up: [park('things', ['note', 'the Size']), park('lonely')],
    down: [unpark('lonely'), unpark('things', ['note', 'the Size'], { missing: { note: `'none'` } })],
  },
};

// It dumps no server that is newer than itself.
const [, own = '0'] =
  /\) (\d+)/.exec(spawnSync('pg_dump', ['--version'], { encoding: 'utf8' }).stdout ?? '') ?? [];

const digestOf = (db: TestDatabase): Promise<unknown> =>
  db.orm.em.execute(
    `select md5(string_agg(t::text, ' ' order by id)) as things,
       (select md5(string_agg(l::text, ' ' order by id)) from lonely l) as lonely from things t`,
  );

async function copy(from: TestDatabase, to: TestDatabase): Promise<void> {
  const dump = execFile('pg_dump', ['--no-owner', from.url], { maxBuffer: 2 ** 26 });
  const restore = spawn('psql', ['--quiet', '--set', 'ON_ERROR_STOP=1', to.url], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const codes = Promise.all([once(dump, 'exit'), once(restore, 'exit')]);
  if (dump.stdout) await pipeline(dump.stdout, restore.stdin);
  expect((await codes).map(([code]: unknown[]) => code)).toEqual([0, 0]);
}

test('what is parked survives a dump and its restore, and goes back there', async ({ skip }) => {
  const db = await emptyDatabase();
  const [server] = await db.orm.em.execute<{ major: number }[]>(
    `select current_setting('server_version_num')::int / 10000 as major`,
  );
  if (Number(own) < (server?.major ?? 0)) skip(`needs pg_dump ${server?.major}, and has ${own}`);
  await migratorOn(db, chain).up({ to: 'A' });
  const before = { rows: await digestOf(db), catalog: await readCatalog(db.orm) };
  await migratorOn(db, chain).up();

  const restored = await emptyDatabase();
  await copy(db, restored);

  const migrator = migratorOn(restored, chain);
  expect((await migrator.parked()).map(({ table, column }) => [table, column])).toEqual([
    ['lonely', null],
    ['things', 'note'],
    ['things', 'the Size'],
  ]);
  await restored.orm.em.execute('insert into things (id) values (2000)');
  await migrator.down();
  expect(differences(before.catalog, await readCatalog(restored.orm))).toEqual([]);
  expect(await restored.orm.em.execute('select note from things where id = 2000')).toEqual([
    { note: 'none' },
  ]);
  await restored.orm.em.execute('delete from things where id = 2000');
  expect(await digestOf(restored)).toEqual(before.rows);
});
