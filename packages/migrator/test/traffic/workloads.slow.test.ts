import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Migrator, type Certificate, type TrafficWorkloads } from 'mikro-orm-safe-migrations';
import { expect, onTestFinished, test } from 'vitest';
import { emptyDatabase, ormOn } from '../kit/database.ts';
import type { Migrations } from '../project.ts';

const people = 'create table person (id int primary key, name text not null, note text)';
const row = `insert into person values (1, 'Ada', 'a note')`;

/** Writes modules with workloads that send one statement each, by the name of their files. */
async function modules(texts: Readonly<Record<string, string>>): Promise<(name: string) => string> {
  const directory = await mkdtemp(join(tmpdir(), 'safe-migrations-workload-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(join(import.meta.dirname, '../../../../node_modules'), join(directory, 'node_modules'));
  for (const [name, sql] of Object.entries(texts))
    await writeFile(
      join(directory, `${name}.mjs`),
      `import pg from 'pg';
       export async function openWorkload(url) {
         const pool = new pg.Pool({ connectionString: url });
         return { requests: { '${name}': () => pool.query(${JSON.stringify(sql)}) }, close: () => pool.end() };
       }`,
    );
  return (name) => join(directory, `${name}.mjs`);
}

async function verified(
  last: Migrations[string],
  traffic: TrafficWorkloads,
): Promise<NonNullable<Certificate['traffic']>> {
  const db = await emptyDatabase();
  const orm = ormOn(db, { M1: { up: [people, row] }, M8: { up: [] }, M9: last });
  const certificates = await new Migrator(orm, { lockTimeout: 300 }).verify({
    migrations: ['M8', 'M9'],
    traffic,
  });
  const found = certificates.at(-1)?.traffic;
  if (!found) throw new Error('no report');
  return found;
}

const dropsNote: Migrations[string] = {
  up: ['alter table person drop note'],
  down: ['alter table person add note text'],
  loses: ['person.note: no code uses it'],
};

test('requests of the previous build that use what is dropped fail, also where that is declared', async () => {
  const path = await modules({
    notes: 'select note from person',
    names: 'select name from person where id = 1',
  });

  const { failures, up, down } = await verified(dropsNote, { old: path('notes'), new: path('names') });

  expect(failures.map(({ code, during, object }) => `${code} ${during} ${object}`)).toEqual([
    'old up request notes',
    'old down request notes',
  ]);
  expect(failures[0]?.what).toBe('column "note" does not exist (42703)');
  expect(up.failed).toBeGreaterThan(0);
  expect(down?.requests).toBeGreaterThan(0);
});

test('requests of this build that use what is not there yet fail', async () => {
  const path = await modules({ nicks: 'select nick from person', names: 'select name from person' });

  const { failures } = await verified({ up: [] }, { old: path('names'), new: path('nicks') });

  expect(failures.map(({ code, during, object }) => `${code} ${during} ${object}`)).toEqual([
    'new up request nicks',
  ]);
});

test('a workload that fails before the migration, or that a module lacks, is refused', async () => {
  const path = await modules({ nicks: 'select nick from person' });

  await expect(verified(dropsNote, { old: path('nicks') })).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringMatching(
      /the request nicks of .*nicks\.mjs fails before the migration: column "nick"/,
    ),
  });
  await expect(
    verified(dropsNote, { old: join(import.meta.dirname, '../three-tables.ts') }),
  ).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('has no workload') });
});
