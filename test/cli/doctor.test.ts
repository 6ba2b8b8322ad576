import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../src/index.ts';
import { TestDatabase, TestServer } from '../../src/testing/index.ts';
import { synthdb } from './run.ts';

interface DoctorFinding {
  readonly subject: string;
  readonly level: string;
  readonly message: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

describe('synthdb doctor', () => {
  let db: TestDatabase;
  let directory: string;
  beforeAll(async () => {
    db = await TestDatabase.create();
    directory = await mkdtemp(join(tmpdir(), 'synthdb-'));
  });
  afterAll(async () => {
    await db.drop();
    await rm(directory, { recursive: true });
  });

  async function examine(
    url: string,
    environment: Record<string, string> = {},
  ): Promise<{ code: number; of: (subject: string) => DoctorFinding | undefined; subjects: string[] }> {
    const { code, stdout } = await synthdb(['doctor', '--json'], directory, {
      DATABASE_URL: url,
      ...environment,
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the test is about
    const { findings } = JSON.parse(stdout) as { findings: DoctorFinding[] };
    return {
      code,
      of: (subject) => findings.find((finding) => finding.subject === subject),
      subjects: findings.map(({ subject }) => subject),
    };
  }

  test('reports no problem of a migrated database', async () => {
    const { code, of, subjects } = await examine(db.url);

    expect(code).toBe(0);
    expect(subjects).toEqual([
      'server',
      'role',
      'timeouts',
      'connections',
      'tls',
      'pooler',
      'clock',
      'schema',
    ]);
    expect(of('server')).toMatchObject({ level: 'fine', facts: { standby: false } });
    expect(of('pooler')).toMatchObject({ level: 'fine', facts: { inFront: false } });
    expect(of('tls')).toMatchObject({ level: 'fine', facts: { inUse: false } });
    expect(of('schema')).toMatchObject({ level: 'fine', facts: { pending: [], unknown: [] } });
    expect(of('clock')).toMatchObject({ facts: { differenceMs: expect.any(Number) } });
    expect(of('connections')?.facts['used']).toBeGreaterThan(0);
  });

  test('prints a table without the password', async () => {
    const { code, stdout, stderr } = await synthdb(['doctor'], directory, { DATABASE_URL: db.url });

    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout.split('\n')[0]).toBe(`PostgreSQL at ${db.target.label}`);
    expect(stdout).toMatch(/^fine +server +PostgreSQL \d+/m);
    expect(stdout).not.toContain(db.target.parts.password);
  });

  test('warns of pending migrations', async () => {
    await using empty = await TestServer.shared().createEmptyDatabase();

    const { code, of } = await examine(empty.url);

    expect(code).toBe(3);
    expect(of('schema')).toMatchObject({
      level: 'warning',
      message: expect.stringContaining('synthdb migrate up'),
    });
  });

  test('warns of missing privileges', async () => {
    const role = `reader_${db.target.parts.database}`;
    await db.orm.em.execute(`create role "${role}" login password 'canary'`);
    await db.orm.em.execute(`grant select on all tables in schema public to "${role}"`);
    await db.orm.em.execute(`revoke select on synths from "${role}"`);
    // What tells of migrations is not in the schema of the tables.
    for (const { name } of await db.orm.em.execute<{ name: string }[]>(
      `select nspname as name from pg_namespace where nspname = 'migrator'`,
    )) {
      await db.orm.em.execute(`grant usage on schema "${name}" to "${role}"`);
      await db.orm.em.execute(`grant select on all tables in schema "${name}" to "${role}"`);
    }
    const url = new URL(db.url);
    url.username = role;
    url.password = 'canary';

    const { code, of } = await examine(url.href);

    await db.orm.em.execute(`drop owned by "${role}"`);
    await db.orm.em.execute(`drop role "${role}"`);
    expect(code).toBe(3);
    expect(of('role')).toMatchObject({
      level: 'warning',
      message: expect.stringMatching(/may not read synths; may not write .*experiments/),
      facts: { superuser: false, unreadable: ['synths'] },
    });
  });

  test('reports no problem of the role that docs/connections.md creates for a service', async () => {
    await using own = await TestServer.shared().createEmptyDatabase();
    await synthdb(['migrate', 'up'], directory, { DATABASE_URL: own.url });
    const role = `app_${own.target.parts.database}`;
    const page = await readFile(join(import.meta.dirname, '../../docs/connections.md'), 'utf8');
    const grants = /^```sql\n(create role app .*?)^```$/ms.exec(page)?.[1] ?? '';
    await own.orm.em.execute(grants.replaceAll(/\bapp\b/g, `"${role}"`));
    const url = new URL(own.url);
    url.username = role;
    url.password = 'secret';

    const { code, of } = await examine(url.href);
    await using database = await openDatabase({ url: url.href });
    const id = await database.transact(async ({ synthGroups }) => synthGroups.add({ name: 'Adults' }).id);
    await database.close();

    await own.orm.em.execute(`drop owned by "${role}"; drop role "${role}"`);
    expect(of('role')).toMatchObject({ level: 'fine', message: role });
    expect(code).toBe(0);
    expect(id).toMatch(/^grp_/);
  });

  test('warns of policies that do not apply to the role', async () => {
    await using own = await TestDatabase.create();
    await own.orm.em.execute('alter table synths enable row level security');

    const passesBy = await examine(own.url);

    expect(passesBy.code).toBe(3);
    expect(passesBy.of('role')).toMatchObject({
      level: 'warning',
      message: expect.stringContaining('the row-level policies of synths do not apply to it'),
      facts: { unfiltered: ['synths'] },
    });
  });

  test('warns of a replica that is down', async () => {
    const down = new URL(db.url);
    down.port = '1';

    const { code, of } = await examine(db.url, { REPLICA_DATABASE_URLS: down.href });

    expect(code).toBe(3);
    expect(of('replica 1')).toMatchObject({ level: 'warning', facts: { status: 'down', lag: null } });
  });

  test('reports timeouts of the role', async () => {
    const { database } = db.target.parts;
    await db.orm.em.execute(`alter database "${database}" set lock_timeout = '7s'`);

    const { of } = await examine(db.url);

    await db.orm.em.execute(`alter database "${database}" reset lock_timeout`);
    expect(of('timeouts')?.facts).toMatchObject({ lock_timeout: 7_000, statement_timeout: 0 });
  });

  test('reports an unreachable server in one line', async () => {
    const nowhere = new URL(db.url);
    nowhere.port = '1';

    const { code, stdout, stderr } = await synthdb(['doctor'], directory, { DATABASE_URL: nowhere.href });

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain('no server is listening on this host and port');
  });
});
