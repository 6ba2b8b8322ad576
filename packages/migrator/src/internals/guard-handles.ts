import { Configuration } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { CompiledQuery, Kysely, QueryExecutor } from 'kysely';

/** Called for each statement before it is sent; refuses it by throwing. */
type Guard = (sql: string) => Promise<void>;

/**
 * Passes each statement that the code of a migration sends to `guard` first: by `execute`, its entity manager, `driver` or `config`, and by
 * Kysely. Its handles get another driver on the same pool. A transaction that the ORM or Kysely begins is not refused, because it also ends it;
 * the statements in it are passed too.
 */
export function guardHandles(orm: MikroORM, migration: Migration, guard: Guard): void {
  const client = guardedClient(orm.em.getConnection().getClient(), guard);
  const config = new Configuration(
    { ...orm.config.getAll(), replicas: [], driverOptions: () => client, preferEnvVars: false },
    false,
  );
  const driver = config.getDriver();
  driver.setMetadata(orm.getMetadata());
  Object.assign(migration, { driver, config });
}

/** Returns a client like another one, with a guarded executor: `withoutPlugins` is how Kysely makes one with another executor. */
function guardedClient<T>(client: Kysely<T>, guard: Guard): Kysely<T> {
  const executor = client.getExecutor();
  const guarded = guardedExecutor(executor, guard);
  Object.assign(executor, { withoutPlugins: () => guarded });
  try {
    return client.withoutPlugins();
  } finally {
    Reflect.deleteProperty(executor, 'withoutPlugins');
  }
}

function guardedExecutor(executor: QueryExecutor, guard: Guard): QueryExecutor {
  return new Proxy(executor, {
    get(target, key) {
      switch (key) {
        case 'executeQuery':
          return async (query: CompiledQuery, ...options: []) => {
            await guard(query.sql);
            return target.executeQuery(query, ...options);
          };
        case 'stream':
          return async function* (query: CompiledQuery, ...options: [number]) {
            await guard(query.sql);
            yield* target.stream(query, ...options);
          };
        case 'withConnectionProvider':
        case 'withPlugin':
        case 'withPlugins':
        case 'withPluginAtFront':
        case 'withoutPlugins': {
          // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all return a copy
          const copy = target[key] as (...given: unknown[]) => QueryExecutor;
          return (...given: unknown[]) => guardedExecutor(Reflect.apply(copy, target, given), guard);
        }
        default: {
          // Its methods read private members, which a proxy does not have.
          const member: unknown = Reflect.get(target, key, target);
          return typeof member === 'function' ? member.bind(target) : member;
        }
      }
    },
  });
}
