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
 * Returns the options of the driver with which the ORM connects, those that can be passed to another thread.
 *
 * @throws MigrationRefusedError when the ORM was given a Kysely instance or dialect.
 */
export async function connectionSettings(orm: MikroORM): Promise<Readonly<Record<string, unknown>>> {
  const { password, ssl, ...options } = ownPool(orm).options;
  const plain = Object.entries(options).filter(([, value]) =>
    ['string', 'number', 'boolean'].includes(typeof value),
  );
  return {
    ...Object.fromEntries(plain),
    ssl: typeof ssl === 'object' ? withoutFunctions(ssl) : ssl,
    password: typeof password === 'function' ? await password() : password,
  };
}

function withoutFunctions(options: object): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => typeof value !== 'function'));
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
