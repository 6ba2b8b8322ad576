import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../kit/database.ts';
import { InstalledProject } from '../kit/installed-project.ts';

const configuration = `import { defineConfig } from '@mikro-orm/postgresql';
  export default defineConfig({
    clientUrl: process.env['DATABASE_URL'], entities: [], discovery: { warnWhenNoEntities: false },
  });`;

function migration(name: string, up: string, down: string): string {
  return `import { Migration } from '@mikro-orm/migrations';
    export class ${name} extends Migration {
      up() { this.addSql(${JSON.stringify(up)}); }
      down() { this.addSql(${JSON.stringify(down)}); }
    }`;
}

let db: TestDatabase;
let project: InstalledProject;
beforeAll(async () => {
  db = await TestDatabase.create();
  project = await InstalledProject.create(
    {
      'mikro-orm.config.ts': configuration,
      'migrations/Migration1.ts': migration(
        'Migration1',
        'create table orders (id int primary key, number int)',
        'drop table orders',
      ),
    },
    { DATABASE_URL: db.url },
  );
  await project.run('up');
  await project.write(
    'migrations/Migration2.ts',
    migration('Migration2', 'create index orders_number on orders (number)', 'drop index orders_number'),
  );
  await db.orm.em.execute('insert into orders select n, n from generate_series(1, 3000) n');
  await db.orm.em.execute('analyze orders');
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await db.drop();
});

const time = String.raw`[\d.]+ m?s`;

describe('plan --forecast', () => {
  test('prints the times and what is blocked as comments before the SQL', async () => {
    const { code, stdout, stderr } = await project.run('plan', '--forecast');

    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(
      new RegExp(
        [
          '-- Migration2, up',
          `-- Forecast: ${time}`,
          String.raw`--   orders: 3,000 rows, \d+ kB; measured on as many generated ones`,
          `--   statement 1: ${time}`,
          String.raw`--     blocks writes of orders for ${time} \(ShareLock\)`,
          'start transaction',
        ].join('\n'),
      ),
    );
  });

  test('adds the forecast to the JSON', async () => {
    const { stdout } = await project.run('plan', '--forecast', '--json');

    expect(JSON.parse(stdout)).toMatchObject([
      {
        name: 'Migration2',
        forecast: {
          durationMs: expect.any(Number),
          statements: [{ statement: 1, locks: [{ table: 'orders', lock: 'ShareLock', blocks: 'writes' }] }],
          tables: [{ table: 'orders', rows: 3_000, hasStatistics: true }],
          unknown: null,
        },
      },
    ]);
  });

  test('is refused together with --from, which opens no connection', async () => {
    expect(await project.run('plan', '--forecast', '--from', 'none')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--forecast'),
    });
  });
});

test('verify --rows prints a table for each migration, and adds what it measured to the JSON', async () => {
  const shown = await project.run('verify', 'Migration2', '--rows', '1000');
  const json = await project.run('verify', 'Migration2', '--rows', '1000', '--json');

  expect(shown).toMatchObject({ code: 0, stderr: '' });
  expect(shown.stdout).toMatch(
    new RegExp(
      [
        'Migration2, with 1,000 rows in each table that it touches',
        ' +statement +took +lock +held +reader +writer',
        String.raw`up 1 +create index [^…]*… +${time} +Share orders +${time} +${time} +(${time}|-)`,
        'down 1 +drop index',
      ].join('\n'),
    ),
  );
  expect(JSON.parse(json.stdout)).toMatchObject({
    certificates: [
      {
        certificate: 'lossless',
        measured: {
          rows: 1_000,
          tables: [{ table: 'orders', rows: 1_000, reason: null }],
          statements: [{ direction: 'up', locks: [{ lock: 'ShareLock' }] }, { direction: 'down' }],
          failures: [],
        },
      },
    ],
  });
});

test('lint --rows says for how long each lock is held', async () => {
  const shown = await project.run('lint', '--rows', '1000');
  const json = await project.run('lint', '--rows', '1000', '--json');

  expect(shown.stdout).toMatch(
    new RegExp(`lock +ShareLock on orders, held while the index is built: ${time} with 1,000 rows\n`),
  );
  expect(JSON.parse(json.stdout)).toMatchObject({
    findings: ['create-index', 'drop-index'].map((rule) => ({
      rule,
      measured: { rows: 1_000, heldMs: expect.any(Number) },
    })),
  });
});

test('--rows takes a positive number', async () => {
  for (const command of ['verify', 'lint'])
    expect(await project.run(command, '--rows', '0')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected a positive integer'),
    });
});
