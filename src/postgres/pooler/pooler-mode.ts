import type { MikroORM as Core } from '@mikro-orm/core';
import type { MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import type { ClientBase } from 'pg';
import { SettingsError } from '../../errors.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { Connections } from '../client/connections.ts';
import { withClientOutsidePool } from '../client/outside-pool.ts';
import { identifyClient } from '../client/identify-client.ts';
import { settlesWithin } from '../client/settles-within.ts';
import { keepsNames } from './keeps-names.ts';

/** The mode of a pooler: for how long it assigns a server connection to a client. Null for session mode, or without a pooler. */
type PoolerMode = 'transaction' | 'statement' | null;

/** A client with the process number that it was given at login. */
type LoggedInClient = ClientBase & { readonly processID?: number | null };

// Milliseconds. The mode of a pooler without a free connection can't be detected.
const timeoutMs = 1_000;

// How often two clients compare process numbers. A single pass missed a busy pooler once in eighty openings.
const passes = 4;

/**
 * Detects whether a pooler is in front of the server, and records it with the ORM's connections. It costs one statement.
 *
 * @throws the error of the pool or the driver when no connection can be made.
 */
export async function detectPooler(orm: MikroORM): Promise<void> {
  // Through the ORM, which closes the pool only after it has used it itself.
  await orm.em
    .fork()
    .getKysely()
    .connection()
    .execute(async (connection) => {
      const { rows } = await connection.executeQuery<{ client: LoggedInClient }>(
        CompiledQuery.raw(identifyClient),
      );
      const client = rows[0]?.client;
      if (!client)
        throw new Error("the ORM's pool has clients of another class; configure the ORM by `ormOptions`");
      // A pooler invents the process number at login, because its clients get another process in each transaction.
      const connections = Connections.of(orm);
      connections.behindPooler = (await serverProcessOf(client)) !== (client.processID ?? null);
      connections.namesStatements =
        connections.mayNameStatements && (!connections.behindPooler || (await keepsNames(client)));
    });
}

/**
 * Refuses a pooler in transaction mode, where the session that a unit of work leaves behind would affect other clients.
 *
 * @throws SettingsError with the remedy.
 */
export async function refuseSharedSessions(orm: MikroORM, target: DatabaseTarget): Promise<void> {
  if (!Connections.of(orm).behindPooler) return;
  const refusal = poolerModeError(await detectPoolerMode(orm), target);
  if (refusal) throw refusal;
}

/** Returns the error for a pooler whose mode can't be used with `poolMode: session`; null when it can be used. */
function poolerModeError(mode: PoolerMode | undefined, target: DatabaseTarget): SettingsError | null {
  if (mode === 'transaction')
    return new SettingsError(
      `poolMode is "session", but ${target.label} is reached through a pooler in transaction mode: ` +
        'set DATABASE_POOL_MODE=transaction (option poolMode), or have the pooler use session mode',
    );
  if (mode === 'statement')
    return new SettingsError(
      `${target.label} is reached through a pooler in statement mode, which does not support transactions: ` +
        'have it use transaction mode, and set DATABASE_POOL_MODE=transaction (option poolMode)',
    );
  return null;
}

/**
 * Checks the first connection of an ORM that a service opens itself, and refuses all connections once a pooler in transaction mode was
 * detected. An extension of the ORM's configuration; `onConnect` wraps that of the pool.
 */
export class SharedSessionCheck {
  readonly #target: DatabaseTarget;
  #orm: MikroORM | undefined;
  #state: 'unchecked' | 'checking' | 'checked' | SettingsError = 'unchecked';

  constructor(target: DatabaseTarget) {
    this.#target = target;
  }

  register(orm: Core): void {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- withSynthLab chooses the driver for PostgreSQL
    this.#orm = orm as MikroORM;
  }

  /** Runs `before` on each new connection, and the check on the first. Connections during the check don't wait for it. */
  onConnect(before: (client: never) => Promise<void>): (client: LoggedInClient) => Promise<void> {
    return async (client) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `before` is made for the pool's clients
      await before(client as never);
      if (this.#state === 'unchecked') await this.#check(client);
      if (this.#state instanceof SettingsError) throw this.#state;
    };
  }

  async #check(client: LoggedInClient): Promise<void> {
    this.#state = 'checking';
    try {
      const isPooled = (await serverProcessOf(client)) !== (client.processID ?? null);
      const mode = isPooled && this.#orm ? await detectPoolerModeWith(client, this.#orm) : null;
      this.#state = poolerModeError(mode, this.#target) ?? 'checked';
      if (!isPooled && this.#orm) {
        const connections = Connections.of(this.#orm);
        connections.namesStatements = connections.mayNameStatements;
      }
    } finally {
      if (this.#state === 'checking') this.#state = 'unchecked';
    }
  }
}

/**
 * Returns the mode of the pooler, detected by two clients: in session mode each keeps its own server process. Null when they share none, or
 * when the pooler did not answer in time.
 */
export async function detectPoolerMode(orm: MikroORM): Promise<PoolerMode> {
  const pool = await orm.em.getConnection().getNativeClient();
  const first = await pool.connect();
  const mode = await detectPoolerModeWith(first, orm);
  // After a failed begin the client is unusable, and a statement may still be waiting on it.
  first.release(mode === 'statement' || mode === undefined);
  return mode ?? null;
}

/** Returns the mode of the pooler as `detectPoolerMode`, by `first` and a new client; undefined when it took too long. */
async function detectPoolerModeWith(first: ClientBase, orm: MikroORM): Promise<PoolerMode | undefined> {
  const checking = withClientOutsidePool(orm, AbortSignal.timeout(timeoutMs), (second) =>
    isShared(first, second),
  ).then(
    (shared) => (shared ? transactionOrStatement(first) : null),
    () => null,
  );
  // The pooler may let the second client wait for a connection without a limit.
  return (await settlesWithin(timeoutMs, checking)) ? checking : undefined;
}

/** Returns whether two clients share a server process, or one of them changes its process. */
async function isShared(first: ClientBase, second: ClientBase): Promise<boolean> {
  const seen = { first: new Set<number>(), second: new Set<number>() };
  // Twice in a row detects poolers that assign connections in turn. The change of clients detects poolers that assign the last used one.
  // Several passes are needed because on a busy pooler a client may get the same connection again by chance.
  const turns = Array.from(
    { length: passes },
    () => ['first', 'first', 'second', 'second', 'first'] as const,
  ).flat();
  for (const who of turns) {
    seen[who].add(await serverProcessOf(who === 'first' ? first : second));
    if (seen.first.size > 1 || seen.second.size > 1 || [...seen.first].some((pid) => seen.second.has(pid)))
      return true;
  }
  return false;
}

async function serverProcessOf(client: ClientBase): Promise<number> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
  const [row] = rows;
  if (!row) throw new Error('the server did not return the number of its process');
  return row.pid;
}

async function transactionOrStatement(client: ClientBase): Promise<'transaction' | 'statement'> {
  try {
    await client.query('begin');
    await client.query('select 1');
    await client.query('rollback');
    return 'transaction';
  } catch {
    return 'statement';
  }
}
