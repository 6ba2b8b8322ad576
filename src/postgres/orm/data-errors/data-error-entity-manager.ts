import { isNativeError, isPromise } from 'node:util/types';
import { ValidationError } from '@mikro-orm/core';
import { EntityManager } from '@mikro-orm/postgresql';
import { StatementError } from '../../../errors.ts';
import { Connections } from '../../client/connections.ts';
import { ChangedEntities } from '../../patches/orm/changed-entities.ts';

type Call = (this: EntityManager, ...given: unknown[]) => unknown;

/** The public methods, from which the ORM throws errors before it sends a statement. */
const calls = [
  'addFilter',
  'assign',
  'callRoutine',
  'canPopulate',
  'clearCache',
  'clearSessionContext',
  'clone',
  'count',
  'countBy',
  'create',
  'createQueryBuilder',
  'execute',
  'find',
  'findAll',
  'findAndCount',
  'findByCursor',
  'findOne',
  'findOneOrFail',
  'flush',
  'fork',
  'getReference',
  'getRepository',
  'insert',
  'insertMany',
  'lock',
  'map',
  'merge',
  'nativeDelete',
  'nativeUpdate',
  'persist',
  'populate',
  'qb',
  'refresh',
  'refreshMaterializedView',
  'refreshOrFail',
  'remove',
  'repo',
  'setFilterParams',
  'setSessionContext',
  'stream',
  'transactional',
  'tryFlush',
  'upsert',
  'upsertMany',
] as const satisfies readonly (keyof EntityManager)[];

/**
 * The ORM's entity manager, which throws `DataError`s where the ORM belongs to a `Database`. It translates the errors of the ORM.
 * `DataErrorConnection` translates those of PostgreSQL.
 */
export class DataErrorEntityManager extends EntityManager {
  static {
    for (const name of calls) {
      const inherited: unknown = Reflect.get(EntityManager.prototype, name);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a method, called with what it was given
      const call = inherited as Call;
      Object.defineProperty(this.prototype, name, {
        configurable: true,
        writable: true,
        value(this: DataErrorEntityManager, ...given: unknown[]): unknown {
          const translate = (error: unknown): unknown => this.#translate(error, name, given);
          try {
            const result = call.apply(this, given);
            if (isPromise(result)) return result.catch((error: unknown) => Promise.reject(translate(error)));
            return name === 'stream' && isStream(result) ? translateStream(result, translate) : result;
          } catch (error) {
            throw translate(error);
          }
        },
      });
    }
  }

  constructor(...given: ConstructorParameters<typeof EntityManager>) {
    super(...given);
    ChangedEntities.adopt(this);
  }

  #translate(error: unknown, name: (typeof calls)[number], given: readonly unknown[]): unknown {
    const connections = Connections.in(this.config);
    if (!connections?.throwsDataErrors) return error;
    if (
      error instanceof ValidationError &&
      (name === 'setSessionContext' || name === 'clearSessionContext')
    ) {
      return new StatementError(
        `em.${name} can't be used in a unit of work: the settings of a transaction are set when it begins, by ` +
          "transact(work, { settings: { 'app.user': id } })",
        {},
        { cause: error },
      );
    }
    if (name === 'transactional' || mayBeCallerError(error, given)) return connections.translate(error);
    return new StatementError(`the ORM refused em.${name}; see \`cause\``, {}, { cause: error });
  }
}

/** Returns whether an error may be the caller's: a signal's reason, or from a handler. The ORM throws plain errors as well. */
function mayBeCallerError(error: unknown, given: readonly unknown[]): boolean {
  if (!isNativeError(error) || !['Error', 'TypeError', 'RangeError'].includes(error.constructor.name))
    return true;
  return given.some(
    (value) => typeof value === 'object' && value !== null && ('signal' in value || 'failHandler' in value),
  );
}

function isStream(result: unknown): result is AsyncIterable<unknown> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

async function* translateStream(
  rows: AsyncIterable<unknown>,
  translate: (error: unknown) => unknown,
): AsyncGenerator<unknown, void, undefined> {
  try {
    yield* rows;
  } catch (error) {
    throw translate(error);
  }
}
