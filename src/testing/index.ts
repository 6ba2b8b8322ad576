export { TestDatabase } from './test-database.ts';
export { TestServer } from './test-server.ts';
export * from './factories.ts';
