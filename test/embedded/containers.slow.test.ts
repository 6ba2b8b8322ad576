import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { Client } from 'pg';
import { describe, expect, test } from 'vitest';
import { EmbeddedPostgres } from '../../src/embedded/index.ts';
import { answeredCommits } from './answered-commits.ts';
import { startContainer } from './container.ts';
import { elsewhere } from './elsewhere.ts';
import { freeze, pidFile, postmasterPid } from './postmaster.ts';
import { scratchCluster } from './scratch.ts';
import { sql } from './sql.ts';

const quick = { fsync: 'off' };

// Namespaces take root.
describe.runIf(process.getuid?.() === 0 && process.platform === 'linux')('between containers', () => {
  test('a second container is refused while the first one runs, and gets every row once it has ended', async () => {
    const directory = await scratchCluster();
    const [first, second] = [await startContainer(), await startContainer()];
    const { server } = await elsewhere('start', { directory }, first).outcome;
    const commits = await answeredCommits(server?.url ?? '');

    const refused = await Promise.all([
      elsewhere('start', { directory }, second).outcome,
      elsewhere('find', { directory }, second).outcome,
      elsewhere('remove', { directory }, second).outcome,
    ]);
    const joined = await elsewhere('start', { directory }, first).outcome;
    await first.kill();
    const answered = await commits.ended;
    const { server: successor } = await elsewhere('start', { directory }, second).outcome;

    for (const { error } of refused) {
      expect(error).toMatchObject({ code: 'in_use', message: expect.stringContaining(directory) });
    }
    expect(joined.server).toMatchObject({ url: server?.url, started: false });
    expect(answered).toBeGreaterThan(10);
    expect(successor?.started).toBe(true);
    expect(await commits.stored(successor?.url ?? '')).toBe(answered);
  });

  test('no server starts while a process of a killed server remains', async () => {
    const directory = await scratchCluster();
    const container = await startContainer();
    const server = await EmbeddedPostgres.start({ directory, settings: quick });
    const client = new Client({ connectionString: server.url });
    client.on('error', () => {});
    await client.connect();
    const backend = (await client.query<{ pid: number }>('select pg_backend_pid() pid')).rows[0]?.pid ?? 0;

    const resume = freeze(backend);
    process.kill(await postmasterPid(directory), 'SIGKILL');
    const refused = await elsewhere('start', { directory, settings: quick }, container).outcome;
    resume();
    const { server: successor } = await elsewhere('start', { directory, settings: quick }, container).outcome;

    expect(refused.error).toMatchObject({ code: 'in_use' });
    expect(successor).toMatchObject({ started: true });
  });

  test('a restarted container reuses its cluster, although process ids are reused', async () => {
    const directory = await scratchCluster();
    const before = await startContainer();
    await elsewhere('start', { directory, settings: quick }, before).outcome;
    await before.kill();
    const left = await readFile(pidFile(directory), 'utf8');

    // The first process of a container, the starting one, and the ids that its programs and the server get.
    for (const pid of ['1', '2', '3', '4', '5', '6', '7', '8', '12', '16', '20']) {
      const after = await startContainer();
      await writeFile(pidFile(directory), left.replace(/^\d+/, pid));
      const { server: again, error } = await elsewhere('start', { directory, settings: quick }, after)
        .outcome;
      expect(error).toBeUndefined();
      expect(again?.started).toBe(true);
      expect(await sql(again?.url ?? '', 'show port')).toEqual([{ port: String(again?.port) }]);
      await after.kill();
    }
  });

  test('containers that start together create one cluster', async () => {
    const directory = await scratchCluster();
    await EmbeddedPostgres.remove({ directory });
    const containers = await Promise.all([startContainer(), startContainer()]);

    const outcomes = await Promise.all(
      containers.map((container) => elsewhere('start', { directory, settings: quick }, container).outcome),
    );

    expect(outcomes.filter(({ server }) => server?.started)).toHaveLength(1);
    expect(outcomes.filter(({ error }) => error?.code === 'in_use')).toHaveLength(1);
  });

  test('root finds its server without CAP_SYS_PTRACE', async () => {
    const directory = await scratchCluster();
    const without = { wrapper: ['setpriv', '--bounding-set=-sys_ptrace', '--inh-caps=-sys_ptrace'] };

    const { server } = await elsewhere('start', { directory, settings: quick }, without).outcome;
    const found = await elsewhere('find', { directory }, without).outcome;
    await elsewhere('remove', { directory }, without).outcome;

    expect(found.server).toMatchObject({ url: server?.url });
    expect(existsSync(pidFile(directory))).toBe(false);
  });
});
