import type { MikroORM as Core } from '@mikro-orm/core';
import type { MikroORM } from '@mikro-orm/postgresql';
import { CompiledQuery } from 'kysely';
import type { ClientBase } from 'pg';
import { SettingsError } from '../../errors.ts';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { Connections } from './connections.ts';
import { outsidePool } from './outside-pool.ts';
import { whoServes } from './tx-client.ts';
import { within } from './within.ts';

/** For how long a pooler lends a connection of the server's; null for as long as the client's own. */
type Lending = 'transaction' | 'statement' | null;

/** A client and the process that it was told at login to serve it. */
type LoggedIn = ClientBase & { readonly processID?: number | null };

// Milliseconds. A pooler that has no connection to give shows nothing of how it lends them.
const patienceMs = 1_000;

// How often two clients compare: one pass was seen to miss a busy pooler, once in eighty openings.
const passes = 4;

/**
 * Records with the ORM's connections whether a pooler stands in front of the server. It costs one statement.
 *
 * @throws what the pool or the driver throws when no connection can be made.
 */
export async function seeWhetherPooled(orm: MikroORM): Promise<void> {
  // By the ORM's own way to the pool: it closes the pool only after it was used so.
  await orm.em
    .fork()
    .getKysely()
    .connection()
    .execute(async (connection) => {
      const { rows } = await connection.executeQuery<{ client: LoggedIn }>(CompiledQuery.raw(whoServes));
      const client = rows[0]?.client;
      if (!client) throw new Error('the ORM was configured with another client');
      // A pooler makes up the process that it tells its clients, for they have another one in each transaction.
      Connections.of(orm).behindPooler = (await processOf(client)) !== (client.processID ?? null);
    });
}

/**
 * Holds that no pooler lends the server's connections by the transaction, since what a unit of work leaves on one would reach others.
 *
 * @throws SettingsError with the remedy.
 */
export async function refuseSharedSessions(orm: MikroORM, target: DatabaseTarget): Promise<void> {
  if (!Connections.of(orm).behindPooler) return;
  const refusal = refusalOf(await lendingOf(orm), target);
  if (refusal) throw refusal;
}

/** Why a pooler that lends connections like this can't be used in `session` mode; null when it can. */
function refusalOf(lending: Lending | undefined, target: DatabaseTarget): SettingsError | null {
  if (lending === 'transaction')
    return new SettingsError(
      `poolMode is "session", but ${target.label} is reached through a pooler in transaction mode: ` +
        'set DATABASE_POOL_MODE=transaction (option poolMode), or have the pooler use session mode',
    );
  if (lending === 'statement')
    return new SettingsError(
      `${target.label} is reached through a pooler in statement mode, which runs no transaction: ` +
        'have it use transaction mode, and set DATABASE_POOL_MODE=transaction (option poolMode)',
    );
  return null;
}

/**
 * Checks the first connection of an ORM that a service opens itself: it refuses every connection once a pooler was seen to lend them by
 * the transaction. An extension of the ORM's configuration; `onConnect` wraps that of the pool.
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

  /** Runs `before` on each new connection, and the check on the first. Connections that are made during the check are not held up. */
  onConnect(before: (client: never) => Promise<void>): (client: LoggedIn) => Promise<void> {
    return async (client) => {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- whatever the pool connects with, `before` was made for it
      await before(client as never);
      if (this.#state === 'unchecked') await this.#check(client);
      if (this.#state instanceof SettingsError) throw this.#state;
    };
  }

  async #check(client: LoggedIn): Promise<void> {
    this.#state = 'checking';
    try {
      const isPooled = (await processOf(client)) !== (client.processID ?? null);
      const lending = isPooled && this.#orm ? await lendingSeenBy(client, this.#orm) : null;
      this.#state = refusalOf(lending, this.#target) ?? 'checked';
    } finally {
      if (this.#state === 'checking') this.#state = 'unchecked';
    }
  }
}

/**
 * For how long the pooler in front lends a connection of the server's, by what two clients see: in session mode each keeps a process
 * of its own. Null when nothing was seen of it being shared.
 */
export async function lendingOf(orm: MikroORM): Promise<Lending> {
  const pool = await orm.em.getConnection().getNativeClient();
  const one = await pool.connect();
  const lending = await lendingSeenBy(one, orm);
  // A transaction that could not begin has left it unusable, and a statement may still wait on it.
  one.release(lending === 'statement' || lending === undefined);
  return lending ?? null;
}

/** As `lendingOf`, by a client and another one; undefined when they did not end in time. */
async function lendingSeenBy(one: ClientBase, orm: MikroORM): Promise<Lending | undefined> {
  const enough = AbortSignal.timeout(patienceMs);
  const looking = outsidePool(orm, enough, (other) => isShared(one, other)).then(
    (shared) => (shared ? transactionOrStatement(one) : null),
    () => null,
  );
  // It may wait for a connection for as long as the pooler likes; then nobody else has to wait behind it.
  return (await within(patienceMs, looking)) ? looking : undefined;
}

/** Whether two clients were seen to share a process of the server's, or one to change it. */
async function isShared(one: ClientBase, other: ClientBase): Promise<boolean> {
  const seen = { one: new Set<number>(), other: new Set<number>() };
  // Each twice in a row: a pooler that gives its connections in turn shows another one. And one after the other: a pooler that gives
  // the connection that was used last shows the same one to both.
  // Several times over: while others keep the pooler busy, each may be given the same one again by chance.
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
  if (!row) throw new Error('the server did not say which process serves');
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
