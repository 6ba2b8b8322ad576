import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TestDatabase } from '../../src/testing/index.ts';
import { synthdb, type Run } from '../cli/run.ts';
import { migrationChain } from '../schema/migration-chain.ts';

const [initial = ''] = migrationChain;
const newest = migrationChain.at(-1) ?? '';

describe('synthdb migrate', () => {
  let db: TestDatabase;
  beforeAll(async () => {
    db = await TestDatabase.create();
  });
  afterAll(() => db.drop());

  const run = (...args: string[]): Promise<Run> =>
    synthdb(['migrate', ...args], import.meta.dirname, { DATABASE_URL: db.url });

  test('check ends with 0 where all agree, and with 3 where they differ, telling what and what to do', async () => {
    const agreeing = await run('check');
    await db.orm.em.execute('alter table experiments alter name set default 1');

    const differing = await run('check');

    expect(agreeing).toMatchObject({ code: 0, stderr: '' });
    expect(agreeing.stdout.match(/: agree$/gm)).toHaveLength(3);
    expect(differing).toMatchObject({ code: 3, stderr: '' });
    expect(differing.stdout).toMatch(
      /^migrations and database: 1 difference\n.*\n {2}table experiments: column name: default 1 in the database, none by the migrations +\S/m,
    );
  });

  test('check --json tells the same to programs, baseline why not, and neither changes anything', async () => {
    const checked = await run('check', '--json');
    const refused = await run('baseline', initial);
    await db.orm.em.execute('truncate mikro_orm_migrations');
    const differing = await run('baseline', newest);

    expect(checked.code).toBe(3);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      agrees: false,
      migrations: [],
      entities: [],
      differences: [
        { object: 'table experiments', part: 'column name', fact: 'default', expected: null, found: '1' },
      ],
    });
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`applied and newer than ${initial}`),
    });
    expect(differing).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('\n  table experiments: column name: default 1 in the database'),
    });
    expect(await db.orm.em.execute('select name from mikro_orm_migrations')).toEqual([]);
  });

  test('baseline notes a schema that is equal, and tells which migrations', async () => {
    await db.orm.em.execute('alter table experiments alter name drop default');

    const recorded = await run('baseline', newest, '--json');

    expect(recorded).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(recorded.stdout)).toMatchObject({ recorded: expect.arrayContaining([initial]) });
    expect(await run('check')).toMatchObject({ code: 0 });
  });
});
