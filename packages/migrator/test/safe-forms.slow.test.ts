import { p } from '@mikro-orm/postgresql';
import { describe, expect, test } from 'vitest';
import { readCatalog } from '../src/catalog/catalog.ts';
import {
  createdProject,
  firstMigration,
  outcomeOf,
  referenceTo,
  tableOf,
  valuesOf,
  type CreatedProject,
  type Entities,
} from './created-project.ts';

const made = [
  'create table o (id serial primary key)',
  'create table t (id serial primary key, a int, b text not null, o_id int)',
];
const rows = [
  'insert into o values (1)',
  "insert into t select n, n, 'b' || n, 1 from generate_series(1, 100) n",
];
const a = p.integer().nullable();
const b = p.text();
const other = tableOf('o', {});
const oId = p.integer().nullable();

function sent(part: string): string[] {
  return [...part.matchAll(/addSql\(`([^`]*)`\)/g)].map(([, sql = '']) => sql.replaceAll(/\s+/g, ' ').trim());
}

/** The statements of each created migration, in their order. */
function statementsOf({ source }: CreatedProject): { apart: boolean; up: string[]; down: string[] }[] {
  return source
    .split(/^import \{ Migration \}.*$/m)
    .slice(1)
    .map((text) => {
      const [before = '', down = ''] = text.split(' down()');
      return { apart: text.includes('isTransactional'), up: sent(before), down: sent(down) };
    });
}

function changedTo(entities: Entities): Promise<CreatedProject> {
  return createdProject({ made, rows, entities });
}

const t = (properties: Record<string, unknown>, options?: Record<string, unknown>): Entities => [
  other,
  tableOf('t', { a, b, oId, ...properties }, options),
];

describe('a created migration blocks no session', () => {
  test.each<[string, Entities, ReturnType<typeof statementsOf>, string[][]?]>([
    [
      'an index',
      t({ a: p.integer().nullable().index('by_a') }),
      [
        {
          apart: true,
          up: ['create index concurrently "by_a" on "t" ("a")'],
          down: ['drop index concurrently "by_a"'],
        },
      ],
    ],
    [
      'a unique column',
      t({ a: p.integer().nullable().unique('one_a') }),
      [
        {
          apart: true,
          up: ['create unique index concurrently "one_a" on "t" ("a")'],
          down: ['drop index concurrently "one_a"'],
        },
        {
          apart: false,
          up: ['alter table "t" add constraint "one_a" unique using index "one_a"'],
          down: ['alter table "t" drop constraint "one_a"', 'create unique index "one_a" on "t" ("a")'],
        },
      ],
      // An index goes with its constraint, and has to be built again under the lock.
      [
        ['down', 'create-index'],
        ['down', 'work-after-exclusive-lock'],
      ],
    ],
    [
      'a required column',
      t({ a: p.integer() }),
      [
        {
          apart: false,
          up: ['alter table "t" add constraint "chk_a_required" check ("a" is not null) not valid'],
          down: ['alter table "t" drop constraint "chk_a_required"'],
        },
        {
          apart: false,
          up: [
            'alter table "t" validate constraint "chk_a_required"',
            'alter table "t" alter column "a" set not null',
            'alter table "t" drop constraint "chk_a_required"',
          ],
          down: [
            'alter table "t" add constraint "chk_a_required" check ("a" is not null) not valid',
            'alter table "t" alter column "a" drop not null',
          ],
        },
      ],
    ],
    [
      'a check',
      t({}, { checks: [{ name: 'chk_a', expression: 'a > 0' }] }),
      [
        {
          apart: false,
          up: ['alter table "t" add constraint "chk_a" check (a > 0) not valid'],
          down: ['alter table "t" drop constraint "chk_a"'],
        },
        {
          apart: false,
          up: ['alter table "t" validate constraint "chk_a"'],
          down: ['alter table "t" drop constraint "chk_a", add constraint "chk_a" check (a > 0) not valid'],
        },
      ],
    ],
    [
      'a column whose default differs from row to row',
      t({ token: p.uuid().defaultRaw('gen_random_uuid()') }),
      [
        {
          apart: false,
          up: [
            'alter table "t" add "token" uuid',
            'alter table "t" alter column "token" set default gen_random_uuid()',
          ],
          down: ['alter table "t" drop column "token"'],
        },
        {
          apart: true,
          up: ['alter table "t" add constraint "chk_token_required" check ("token" is not null) not valid'],
          down: ['alter table "t" drop constraint "chk_token_required"'],
        },
        {
          apart: false,
          up: [
            'alter table "t" validate constraint "chk_token_required"',
            'alter table "t" alter column "token" set not null',
            'alter table "t" drop constraint "chk_token_required"',
          ],
          down: [
            'alter table "t" add constraint "chk_token_required" check ("token" is not null) not valid',
            'alter table "t" alter column "token" drop not null',
          ],
        },
      ],
    ],
  ])('with %s', async (_name, entities, expected, linted = []) => {
    const project = await changedTo(entities);
    const before = await readCatalog(project.db.orm);

    expect(statementsOf(project)).toEqual(expected);
    const { findings } = await project.migrator.lint({ migrations: 'pending' });
    expect(findings.map(({ direction, rule }) => [direction, rule])).toEqual(linted);
    expect(await outcomeOf(project.migrator.up())).toBe('done');
    expect(await project.migrator.check()).toMatchObject({ agrees: true });
    expect(await outcomeOf(project.migrator.down({ to: firstMigration }))).toBe('done');
    expect(await readCatalog(project.db.orm)).toEqual(before);
  });

  test('with a default that differs from row to row, which fills the rows that are there in batches', async () => {
    const project = await changedTo(t({ token: p.uuid().defaultRaw('gen_random_uuid()') }));

    expect(project.source).toContain(`import { backfill } from 'mikro-orm-safe-migrations';`);
    expect(project.source).toContain(`    this.addSql(
      backfill('t', {
        by: 'id',
        set: \`"token" = gen_random_uuid()\`,
        where: \`"token" is null\`,
      }),
    );
`);
    await project.migrator.up();
    expect(await valuesOf(project.db, 'select count(distinct token) from t')).toEqual(['{"count": 100}']);
  });

  test('with a foreign key, in three parts with its index', async () => {
    const project = await changedTo([
      other,
      tableOf('t', { a, b, o: referenceTo(other) }, { indexes: [{ name: 'by_o', properties: ['o'] }] }),
    ]);

    expect(statementsOf(project).map(({ apart, up }) => [apart, up])).toEqual([
      [
        false,
        [expect.stringMatching(/^alter table "t" add constraint "t_o_id_foreign" foreign key .* not valid$/)],
      ],
      [true, ['create index concurrently "by_o" on "t" ("o_id")']],
      [false, ['alter table "t" validate constraint "t_o_id_foreign"']],
    ]);
    expect(project.created?.following).toHaveLength(2);
    expect(project.created?.name).toMatch(/_change$/);
    expect(project.created?.following.map(({ name }) => name.replace(/^Migration\d+_/, ''))).toEqual([
      'change_indexes',
      'change_validation',
    ]);
    expect(await outcomeOf(project.migrator.up())).toBe('done');
    expect(await project.migrator.check()).toMatchObject({ agrees: true });
  });

  test('each part can be redone', async () => {
    const project = await changedTo(
      t({ a: p.integer().unique('one_a') }, { checks: [{ name: 'chk_a', expression: 'a > 0' }] }),
    );
    const parts = statementsOf(project).length;

    expect(parts).toBe(3);
    for (let part = 0; part < parts; part++) {
      expect(await outcomeOf(project.migrator.up({ to: `+1` }))).toBe('done');
      expect(await outcomeOf(project.migrator.redo())).toBe('done');
    }
    expect(await project.migrator.check()).toMatchObject({ agrees: true });
  });
});

describe('a created migration is in one part', () => {
  test.each<[string, Entities]>([
    ['with a new table', [...t({}), tableOf('n', { c: p.integer().unique(), o: referenceTo(other) })]],
    ['with a new nullable column', t({ c: p.text().nullable() })],
    [
      'with a deferrable unique constraint, which an index can not become',
      t({}, { uniques: [{ name: 'one_a', properties: ['a'], deferMode: 'deferred' }] }),
    ],
  ])('%s', async (_name, entities) => {
    const project = await changedTo(entities);

    expect(project.created?.following).toEqual([]);
    expect(statementsOf(project).map(({ apart }) => apart)).toEqual([false]);
    expect(await outcomeOf(project.migrator.up())).toBe('done');
  });
});
