import { TestServer } from '../src/testing/index.ts';

/** Starts the suite's PostgreSQL once; every test file copies its migrated template. */
export default async function setup(): Promise<() => Promise<void>> {
  const server = await TestServer.start();
  return () => server.stop();
}
