import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';

const from = (path: string): string => new URL(`../../${path}`, import.meta.url).href;

/** What a service writes to get a plan, and what it prints of it. */
const plans: Record<string, string> = {
  planLoad: `
    import { planLoad } from '${from('src/loading/index.ts')}';
    import { Experiment } from '${from('src/entities.ts')}';
    const plan = await planLoad({ entity: Experiment, mode: 'upsert', rows: [{ name: 'n', hypothesis: 'h' }] });
    console.log(plan.rows, plan.statements.length);`,
  planBackfill: `
    import { planBackfill } from '${from('src/loading/index.ts')}';
    const targets = [{ name: 'groups', entity: 'SynthGroup', source: 'group', key: 'id', columns: [{ target: 'name', source: 'title' }] }];
    const plan = await planBackfill({ targets }, [{ group: 'a', title: 'b' }]);
    console.log(plan.facts, plan.statements.length);`,
  'Migrator.planUp and planDown with from': `
    import { Migrator } from '${from('packages/migrator/src/index.ts')}';
    import { projectOn } from '${from('packages/migrator/test/project.ts')}';
    const orm = projectOn(process.env.DATABASE_URL ?? 'postgresql://localhost/none', {
      First: { up: ['create table first (id int)'], down: ['drop table first'] },
    });
    const migrator = new Migrator(orm);
    const plans = [...await migrator.planUp({ from: null }), ...await migrator.planDown({ from: 'First' })];
    console.log(plans.length, plans[0].statements.length);`,
};

describe('a plan needs no server', () => {
  let directory: string;
  let server: Server;
  let port: number;
  let connections = 0;
  beforeAll(async () => {
    server = createServer((client) => {
      connections++;
      client.destroy();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'plan-'));
    await writeFile(join(directory, 'package.json'), '{}');
    connections = 0;
  });
  afterEach(() => rm(directory, { recursive: true }));

  /** Runs a module in the empty project, where everything that names a server names ours; without `DATABASE_URL` when it is unset. */
  const run = async (script: string, databaseUrl: 'set' | 'unset'): Promise<string> => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script],
      {
        cwd: directory,
        env: {
          PATH: process.env['PATH'],
          // Compiled modules.
          NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
          PGHOST: '127.0.0.1',
          PGPORT: String(port),
          ...(databaseUrl === 'set' && { DATABASE_URL: `postgresql://ann@127.0.0.1:${port}/lab` }),
        },
      },
    );
    return stdout.trim();
  };

  test.each(Object.keys(plans).flatMap((name) => [[name, 'set'] as const, [name, 'unset'] as const]))(
    '%s with DATABASE_URL %s opens no connection, starts no server and writes no file',
    async (name, databaseUrl) => {
      expect(await run(plans[name] ?? '', databaseUrl)).toMatch(/^[1-9]\d* [1-9]\d*$/);

      expect(connections).toBe(0);
      expect(await readdir(directory)).toEqual(['package.json']);
    },
  );

  test('while openDatabase does reach the server', async () => {
    await expect(
      run(`import { openDatabase } from '${from('src/index.ts')}'; await openDatabase();`, 'set'),
    ).rejects.toThrow('ConnectionError');

    expect(connections).toBeGreaterThan(0);
  });
});
