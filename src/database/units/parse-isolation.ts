import { IsolationLevel } from '@mikro-orm/postgresql';
import { SettingsError } from '../../errors.ts';

const isolationLevels = {
  'read committed': IsolationLevel.READ_COMMITTED,
  'repeatable read': IsolationLevel.REPEATABLE_READ,
  serializable: IsolationLevel.SERIALIZABLE,
} as const;

/** An isolation level, as PostgreSQL names it. */
export type IsolationName = keyof typeof isolationLevels;

/**
 * Returns the ORM's isolation level.
 *
 * @throws SettingsError on an unknown level, which the ORM would ignore.
 */
export function parseIsolation(isolation: IsolationName): IsolationLevel {
  if (Object.hasOwn(isolationLevels, isolation)) return isolationLevels[isolation];
  const known = Object.keys(isolationLevels).join(', ');
  throw new SettingsError(`unknown isolation level ${JSON.stringify(isolation)}; expected one of: ${known}`);
}
