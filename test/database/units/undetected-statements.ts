import { onTestFinished } from 'vitest';
import { UnitEntityManager } from '../../../src/database/units/unit-entity-manager.ts';
import type { UnitOfWork } from '../../../src/index.ts';

/**
 * Returns a text that the server reads as `statements`, but the client of `uow` as a string: until the test ends, the client misreads
 * backslashes, so that it does not detect a command that ends the transaction.
 */
export function undetectedStatements(uow: UnitOfWork, statements: string): string {
  const { client } = UnitEntityManager.gateOf(uow.em)?.connection ?? {};
  if (!client) throw new Error('not in a unit of work');
  const { strings } = client;
  onTestFinished(() => void Object.defineProperty(client, 'strings', { value: strings }));
  Object.defineProperty(client, 'strings', { value: { standardStrings: false } });
  return `select '\\'; ${statements}; select ''`;
}
