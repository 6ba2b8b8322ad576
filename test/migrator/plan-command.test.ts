import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { TestServer } from '../../src/testing/index.ts';
import { startSynthdb, synthdb } from '../cli/run.ts';
import { splitStatements } from '../proxy/split-statements.ts';
import { migrationChain } from '../schema/migration-chain.ts';

describe('synthdb migrate plan', () => {
  // Each connection or name lookup ends the process.
  const noSockets = `
    import dns from 'node:dns';
    import net from 'node:net';
    import { syncBuiltinESMExports } from 'node:module';
    const refuse = () => process.exit(99);
    net.Socket.prototype.connect = refuse;
    dns.lookup = refuse;
    syncBuiltinESMExports();`;
  const cutOff = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(noSockets)}` };
  const directory = import.meta.dirname;
  const last = migrationChain.at(-1) ?? '';

  test('opens no socket when the applied migrations are given', async () => {
    const elsewhere = { ...cutOff, DATABASE_URL: 'postgresql://u:p@127.0.0.1:1/d' };

    expect(await startSynthdb(['migrate', 'plan'], directory, elsewhere)).toMatchObject({ code: 99 });
    const [up, down] = await Promise.all([
      startSynthdb(['migrate', 'plan', '--from', 'none'], directory, elsewhere),
      // Nor starts a server of its own.
      startSynthdb(['migrate', 'plan', 'down', '--from', last], directory, cutOff),
    ]);

    expect(up).toMatchObject({ code: 0, stderr: '' });
    expect(up.stdout.match(/^-- Migration\S+, up$/gm)).toHaveLength(migrationChain.length);
    expect(down).toMatchObject({ code: 0, stderr: '' });
    expect(down.stdout).toContain(`\n-- ${last}, down\n`);
  });

  test('prints SQL that makes the schema when it is run as it stands', async () => {
    const { stdout } = await synthdb(['migrate', 'plan', '--from', 'none'], directory);
    const db = await TestServer.shared().createEmptyDatabase();
    onTestFinished(() => db.drop());

    const client = new Client(db.url);
    await client.connect();
    for (const statement of splitStatements(stdout)) await client.query(statement);
    await client.end();

    expect(await db.orm.schema.getUpdateSchemaSQL()).toBe('');
  });
});
