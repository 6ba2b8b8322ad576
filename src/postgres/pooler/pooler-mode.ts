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

/** For how long a pooler assigns a server connection to a client; null for as long as the client is connected. */
type Assignment = 'transaction' | 'statement' | null;

/** A client with the process number that it was given at login. */
type LoggedIn = ClientBase & { readonly processID?: number | null };

// Milliseconds. A pooler without a free connection shows nothing of its mode.
const patienceMs = 1_000;

// How often two clients compare process numbers: one pass missed a busy pooler once in eighty openings.
const passes = 4;

/**
 * Detects whether a pooler is in front of the server, and records it with the ORM's connections. It costs one statement.
 *
 * @throws the error of the pool or the driver when no connection can be made.
 */
export async function detectPooler(orm: MikroORM): Promise<void> {
  // By the ORM's own access to the pool: the ORM closes the pool only after this was used.
  await orm.em
    .fork()
    .getKysely()
    .connection()
    .execute(async (connection) => {
      const { rows } = await connection.executeQuery<{ client: LoggedIn }>(CompiledQuery.raw(identifyClient));
      const client = rows[0]?.client;
      if (!client)
        throw new Error("the ORM's pool makes other clients than ours: configure it by `ormOptions`");
      // A pooler makes up the process number at login, since its clients get another process in each transaction.
      Connections.of(orm).behindPooler = (await processOf(client)) !== (client.processID ?? null);
    });
}

/**
 * Refuses a pooler in transaction mode, where the session that a unit of work leaves behind would affect other clients.
 *
 * @throws SettingsError with the remedy.
 */
export async function refuseSharedSessions(orm: MikroORM, target: DatabaseTarget): Promise<void> {
  if (!Connections.of(orm).behindPooler) return;
  const refusal = refusalOf(await detectPoolerMode(orm), target);
  if (refusal) throw refusal;
}

/** Returns the error for a pooler that can't be used in `session` mode; null when it can. */
function refusalOf(assignment: Assignment | undefined, target: DatabaseTarget): SettingsError | null {
  if (assignment === 'transaction')
    return new SettingsError(
      `poolMode is "session", but ${target.label} is reached through a pooler in transaction mode: ` +
        'set DATABASE_POOL_MODE=transaction (option poolMode), or have the pooler use session mode',
    );
  if (assignment === 'statement')
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
  onConnect(before: (client: never) => Promise<void>): (client: LoggedIn) => Promise<void> {
    return async (client) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- `before` is made for the pool's clients
      await before(client as never);
      if (this.#state === 'unchecked') await this.#check(client);
      if (this.#state instanceof SettingsError) throw this.#state;
    };
  }

  async #check(client: LoggedIn): Promise<void> {
    this.#state = 'checking';
    try {
      const isPooled = (await processOf(client)) !== (client.processID ?? null);
      const assignment = isPooled && this.#orm ? await detectPoolerModeWith(client, this.#orm) : null;
      this.#state = refusalOf(assignment, this.#target) ?? 'checked';
    } finally {
      if (this.#state === 'checking') this.#state = 'unchecked';
    }
  }
}

/**
 * Returns for how long the pooler assigns a server connection, judged by two clients: in session mode each keeps its own process. Null when
 * no sharing was seen.
 */
export async function detectPoolerMode(orm: MikroORM): Promise<Assignment> {
  const pool = await orm.em.getConnection().getNativeClient();
  const one = await pool.connect();
  const assignment = await detectPoolerModeWith(one, orm);
  // After a failed begin it is unusable, and a statement may still be waiting on it.
  one.release(assignment === 'statement' || assignment === undefined);
  return assignment ?? null;
}

/** As `detectPoolerMode`, by a client and a second one; undefined when it took too long. */
async function detectPoolerModeWith(one: ClientBase, orm: MikroORM): Promise<Assignment | undefined> {
  const checking = withClientOutsidePool(orm, AbortSignal.timeout(patienceMs), (other) =>
    isShared(one, other),
  ).then(
    (shared) => (shared ? transactionOrStatement(one) : null),
    () => null,
  );
  // The pooler may let it wait for a connection for any time; the callers should not.
  return (await settlesWithin(patienceMs, checking)) ? checking : undefined;
}

/** Returns whether two clients share a server process, or one of them changes it. */
async function isShared(one: ClientBase, other: ClientBase): Promise<boolean> {
  const seen = { one: new Set<number>(), other: new Set<number>() };
  // Twice in a row, for poolers that assign connections in turn; then by the other client, for poolers that assign the last used one.
  // In several passes: on a busy pooler, each client may get the same one again by chance.
  const turns = Array.from({ length: passes }, () => ['one', 'one', 'other', 'other', 'one'] as const).flat();
  for (const who of turns) {
    seen[who].add(await processOf(who === 'one' ? one : other));
    if (seen.one.size > 1 || seen.other.size > 1 || [...seen.one].some((pid) => seen.other.has(pid)))
      return true;
  }
  return false;
}

async function processOf(client: ClientBase): Promise<number> {
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
