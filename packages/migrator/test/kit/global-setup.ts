import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { shareServer, startServer } from './server.ts';

/** Compiles the package, which processes that tests start run, and starts a server unless `TEST_DATABASE_URL` names one. */
export default async function setUp(): Promise<() => Promise<void>> {
  execFileSync('npm', ['run', '--silent', 'build'], {
    cwd: join(import.meta.dirname, '../..'),
    stdio: 'inherit',
  });
  const given = process.env['TEST_DATABASE_URL'];
  const started = given ? null : await startServer();
  shareServer({ url: given || (started?.url ?? ''), prefix: 'migrator_test' });
  return async () => started?.stop();
}
