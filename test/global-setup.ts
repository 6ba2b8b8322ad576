import { EmbeddedPostgresError } from '../src/embedded/index.ts';
import { DataError } from '../src/errors.ts';
import { TestServer } from '../src/testing/index.ts';

/** Starts the suite's PostgreSQL once; every test file copies its migrated template. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await TestServer.start().catch(giveUp);
  console.log(`Tests run on ${server.description}.`);
  return () => server.stop();
}

// What is wrong with the settings is said in one line, which vitest would bury under stack traces.
function giveUp(error: unknown): never {
  if (!(error instanceof DataError || error instanceof EmbeddedPostgresError)) throw error;
  console.error(`No test was run. ${error.message}`);
  process.exit(1);
}
