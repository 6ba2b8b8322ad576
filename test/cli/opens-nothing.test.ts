import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createProgram } from '../../src/cli/program.ts';
import { synthdb } from './run.ts';

/** Every command, as it is typed. */
function commandsOf(command: Command, path: readonly string[] = []): string[][] {
  return [[...path], ...command.commands.flatMap((sub) => commandsOf(sub, [...path, sub.name()]))];
}

describe('commands that connect to nothing', () => {
  let directory: string;
  let listening: Server;
  let reached = 0;
  let environment: Record<string, string>;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'synthdb-'));
    await writeFile(join(directory, 'package.json'), '{}');
    listening = createServer((client) => {
      reached++;
      client.destroy();
    }).listen(0, '127.0.0.1');
    await once(listening, 'listening');
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
    const { port } = listening.address() as AddressInfo;
    const url = `postgresql://ann:canary@127.0.0.1:${port}/lab`;
    environment = { DATABASE_URL: url, MIGRATION_DATABASE_URL: url, REPLICA_DATABASE_URLS: url };
  });
  afterAll(async () => {
    listening.close();
    await rm(directory, { recursive: true });
  });

  test('the help of every command', async () => {
    const runs = commandsOf(createProgram()).map((command) =>
      synthdb([...command, '--help'], directory, environment),
    );

    for (const { code, stdout } of await Promise.all(runs)) {
      expect(code).toBe(0);
      expect(stdout).toContain('Usage: synthdb');
    }
    expect(reached).toBe(0);
  });

  test('the help lists the exit codes', async () => {
    const { stdout } = await synthdb(['--help'], directory);

    for (const code of [0, 1, 2, 3, 4, 5, 130]) expect(stdout).toMatch(new RegExp(`[\\s;]${code} \\w`));
  });

  test('config shows everything except passwords, as text and JSON', async () => {
    const said = await synthdb(['config'], directory, environment);
    const { code, stdout } = await synthdb(['config', '--json'], directory, environment);

    expect([said.code, code]).toEqual([0, 0]);
    expect(said.stdout).toMatch(/^timeouts\.answer +60000 milliseconds /m);
    expect(said.stdout).toMatch(/^timeouts\.lock +\(that of the role or the server\) +default /m);
    const { settings }: { settings: { name: string; value: unknown; source: string }[] } = JSON.parse(stdout);
    const masked = expect.stringMatching(/^postgresql:\/\/ann:\*\*\*@127\.0\.0\.1:\d+\/lab\?sslmode=prefer$/);
    expect(settings).toContainEqual(
      expect.objectContaining({ name: 'url', value: masked, source: 'DATABASE_URL' }),
    );
    expect(settings).toContainEqual(expect.objectContaining({ name: 'replicaUrls', value: [masked] }));
    expect(settings).toContainEqual(
      expect.objectContaining({ name: 'pool.max', value: 10, source: 'default' }),
    );
    for (const { name } of settings) expect(said.stdout).toContain(name);
    expect(said.stdout + stdout).not.toContain('canary');
    expect(reached).toBe(0);
  });

  test('commands that connect do reach the server', async () => {
    expect(await synthdb(['migrate', 'status'], directory, environment)).toMatchObject({ code: 1 });
    expect(reached).toBeGreaterThan(0);
  });

  test('invalid settings are reported in one line each', async () => {
    const wrong = { ...environment, DATABASE_POOL_MAX: 'many', WORKERS: '4' };

    const { code, stdout, stderr } = await synthdb(['config', '--json'], directory, wrong);

    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr.trimEnd().split('\n')).toEqual([
      expect.stringContaining('2 settings'),
      expect.stringMatching(/^- WORKERS .*DATABASE_POOL_MAX/),
      expect.stringMatching(/^- DATABASE_POOL_MAX is "many"/),
    ]);
  });
});
