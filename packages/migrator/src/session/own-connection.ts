import { PostgreSqlConnection, type MikroORM } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { announcedProcess } from '../internals/announced-process.ts';
import { driverOptionsOf, withPoolErrorsHandled } from './driver-options.ts';
import { MigrationRefusedError } from './errors.ts';
import type { Session } from './session.ts';

/** A session on a single connection. */
export interface OwnSession extends Session {
  /** The process id that the server sent at login. A pooler sends a different one. */
  readonly announcedProcess: number | null;
}

/**
 * Runs `work` on a connection outside the ORM's pool, and closes it afterwards with all settings that were made on it.
 *
 * @throws MigrationRefusedError when the ORM was given a Kysely instance or dialect, so that the migrator can't open a connection.
 */
export async function onOwnConnection<T>(
  orm: MikroORM,
  work: (session: OwnSession) => Promise<T>,
): Promise<T> {
  const pool = ownPool(orm);
  try {
    const client = await pool.connect();
    try {
      return await work({
        announcedProcess: announcedProcess(client),
        query: async <Row extends object>(text: string, values: readonly unknown[] = []) =>
          (await client.query<Row>(text, [...values])).rows,
      });
    } finally {
      client.release(true);
    }
  } finally {
    await pool.end();
  }
}

/** Returns how many connections the ORM's pool may open; null when the ORM was given a Kysely instance or dialect. */
export function poolSize(orm: MikroORM): number | null {
  const options = driverOptionsOf(orm.config.getAll());
  // 10 is the default of the driver.
  return options && (new PostgreSqlConnection(orm.config).mapOptions(options).max ?? 10);
}

/**
 * Returns the options of the driver with which the ORM connects, for another thread: without functions and objects of Node, such as a
 * `secureContext`. TLS is used where the ORM's own connections have it.
 *
 * @throws MigrationRefusedError when the ORM was given a Kysely instance or dialect.
 */
export async function connectionSettings(orm: MikroORM): Promise<Readonly<Record<string, unknown>>> {
  const { password, ssl, ...options } = ownPool(orm).options;
  const isEncrypted = await onOwnConnection(orm, async (session) => {
    const [row] = await session.query<{ ssl: boolean }>(
      'select ssl from pg_stat_ssl where pid = pg_backend_pid()',
    );
    return row?.ssl ?? false;
  });
  const tls = typeof ssl === 'object' ? onlyCloneable(ssl) : true;
  return {
    ...onlyCloneable(options),
    ssl: isEncrypted && tls,
    password: typeof password === 'function' ? await password() : password,
  };
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}

function onlyCloneable(options: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isCloneable(value)));
}

// The ORM returns its pool only since 7.2. A second connection object of the ORM opens an equal one in all versions.
function ownPool(orm: MikroORM): Pool {
  const options = driverOptionsOf(orm.config.getAll());
  if (options === null) {
    throw new MigrationRefusedError(
      'driverOptions holds a Kysely instance or dialect, and a statement outside a transaction needs a separate connection: ' +
        'set the options of the connection instead',
    );
  }
  let pool: Pool | undefined;
  const { driverOptions } = withPoolErrorsHandled({
    driverOptions: {
      ...options,
      max: 1,
      onPoolCreated(created: Pool) {
        pool = created;
        return options.onPoolCreated?.(created);
      },
    },
  });
  new PostgreSqlConnection(orm.config).createKyselyDialect(driverOptions);
  if (!pool) throw new Error('the ORM does not call driverOptions.onPoolCreated');
  return pool;
}
