import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { emptyDatabase } from '../kit/database.ts';

const main = join(import.meta.dirname, '../../dist/cli/main.js');
const modules = join(import.meta.dirname, '../../../../node_modules');

function migration(name: string, up: string, down: string): string {
  return `import { Migration } from '@mikro-orm/migrations';
    export class ${name} extends Migration {
      static loses = ['person.nick: dropped'];
      up() { this.addSql('${up}'); }
      down() { this.addSql('${down}'); }
    }`;
}

test('verify --traffic prints the requests of each direction, and ends with 3 for one that fails', async () => {
  const [db, directory] = [await emptyDatabase(), await mkdtemp(join(tmpdir(), 'safe-migrations-traffic-'))];
  onTestFinished(() => rm(directory, { recursive: true }));
  await symlink(modules, join(directory, 'node_modules'));
  await mkdir(join(directory, 'migrations'));
  const files: Readonly<Record<string, string>> = {
    'package.json': '{ "type": "module", "dependencies": { "@mikro-orm/cli": "*" } }',
    'mikro-orm.config.js': `import { defineConfig, defineEntity, p } from '@mikro-orm/postgresql';
      const Person = defineEntity({ name: 'Person', properties: { id: p.integer().primary() } });
      export default defineConfig({ clientUrl: process.env['DATABASE_URL'], entities: [Person], migrations: { path: 'migrations' } });`,
    'migrations/M1.js': migration(
      'M1',
      'create table person (id int primary key, name text)',
      'drop table person',
    ),
    'migrations/M2.js': migration('M2', 'alter table person add nick text', 'alter table person drop nick'),
    'migrations/M3.js': migration(
      'M3',
      'alter table person rename name to label',
      'alter table person rename label to name',
    ),
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  const verify = (...args: readonly string[]) =>
    new Promise<{ readonly code: number; readonly stdout: string }>((resolve) =>
      execFile(
        process.execPath,
        [main, 'verify', ...args],
        {
          cwd: directory,
          env: { PATH: process.env['PATH'], DATABASE_URL: db.url, NO_COLOR: '1' },
        },
        (error, stdout) => resolve({ code: error ? Number(error.code) : 0, stdout }),
      ),
    );

  const printed = await verify('M2', 'M3', '--traffic');
  const json = await verify('M2', '--traffic', '--json');

  expect(printed.code).toBe(3);
  expect(printed.stdout).toMatch(/^traffic +migration +requests +failed +retried +worst stall$/m);
  expect(printed.stdout).toMatch(/^up +M2 +\d+ +0 +\d+ +\d+ ms\ndown +M2 +\d+ +0 /m);
  expect(printed.stdout.replaceAll(/\s+/g, ' ')).toMatch(
    /M3: during up, old code fails at person\.name, \w+: column "name" .*does not exist \(42703\), \d+ requests?; keep it while code uses it, or declare static loses = \['person\.name: why no code does'\]/,
  );
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({
    certificates: [
      {
        migration: 'M2',
        certificate: 'lossy as declared',
        traffic: { up: { failed: 0, stallLimitMs: 1100 }, down: { failed: 0 }, failures: [], assumed: [] },
      },
    ],
  });
});
