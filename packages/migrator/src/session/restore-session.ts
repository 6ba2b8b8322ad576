import type { Session } from './session.ts';
import { disableTransactionTimeouts } from './session-settings.ts';
import { readCustomSettings, readSessionState, type SessionState } from './session-state.ts';
import { withinOwnTransaction } from './within-own-transaction.ts';

/**
 * Runs a migration's work in the open transaction of `session`, without transaction timeouts of the role or the database, and leaves the
 * session as it was before: behind a pooler the next statement of another client may use it, and a later migration anywhere. Restores
 * settings, custom ones too, the role and the session's authorization, and ends temporary objects, prepared statements, cursors, advisory
 * locks, subscriptions to channels, and the last values of sequences. Also when `work` throws, because some outlive a rollback.
 *
 * `sent` are the statements that `work` sends. Before it sends another one, it passes that to `learn`.
 *
 * @throws TransactionEndedError, and what `work` throws.
 */
export async function withSessionRestored<T>(
  session: Session,
  sent: string[],
  work: (learn: (texts: readonly string[]) => Promise<void>) => Promise<T>,
): Promise<T> {
  let before = await readSessionState(session, sent);
  const learn = async (texts: readonly string[]): Promise<void> => {
    // Not spread: a migration may have a million statements.
    for (const text of texts) sent.push(text);
    const custom = await readCustomSettings(session, texts, before.custom);
    before = { ...before, custom: { ...before.custom, ...custom } };
  };
  await disableTransactionTimeouts(session, 'local');
  let result: T;
  try {
    result = await withinOwnTransaction(session, () => work(learn));
  } catch (error) {
    // The first error is the cause. After it the transaction may be gone, or the connection.
    await restore(session, before, sent).catch(() => {});
    throw error;
  }
  await restore(session, before, sent);
  return result;
}

async function restore(session: Session, before: SessionState, sent: readonly string[]): Promise<void> {
  const after = await readSessionState(session, sent);
  const statements = restoringStatements(before, after);
  await session.query(statements.join('; '));
  // Equivalent to `set_config`, which guards of pooled connections refuse.
  await session.query(
    `update pg_settings set setting = coalesce($1::jsonb->>name, reset_val)
     where (source = 'session' or $1::jsonb ? name) and context in ('user', 'superuser')
       and setting is distinct from coalesce($1::jsonb->>name, reset_val)`,
    [JSON.stringify(before.settings)],
  );
}

/** Returns the statements that remove what a session has after, and had not before. */
function restoringStatements(before: SessionState, after: SessionState): string[] {
  return [
    ...(after.authorization === before.authorization
      ? []
      : ['reset session authorization', `set session authorization ${before.authorization}`]),
    ...(after.role === before.role && after.authorization === before.authorization
      ? []
      : [`set role ${before.role === 'none' ? 'none' : literal(before.role)}`]),
    ...added(before.cursors, after.cursors).map((name) => `close ${name}`),
    ...temporaryStatements(before.temporary, after.temporary),
    ...added(before.prepared, after.prepared).map((name) => `deallocate ${name}`),
    ...lockStatements(before, after),
    // A subscription begins at the commit, so that the server does not list it yet.
    ...(before.channels.length === 0
      ? ['unlisten *']
      : added(before.channels, after.mentioned).map((name) => `unlisten ${name}`)),
    'discard sequences',
    // The server lists no custom settings. Those that the session had before are lost if no code names them.
    ...(after.composes
      ? ['reset all', ...customStatements({ ...before, custom: {} }, before)]
      : customStatements(after, before)),
    ...(after.seeds ? [`select setseed(${Math.random() * 2 - 1})`] : []),
  ];
}

function added(before: readonly string[], after: readonly string[]): string[] {
  return after.filter((name) => !before.includes(name));
}

function temporaryStatements(before: readonly string[], after: readonly string[]): string[] {
  const objects = added(before, after);
  if (objects.length === 0) return [];
  // A table with deferred checks can't be dropped.
  const check = 'set constraints all immediate';
  if (before.length === 0) return [check, 'discard temp'];
  return [check, ...objects.map((object) => `drop ${object} cascade`)];
}

function lockStatements(before: SessionState, after: SessionState): string[] {
  if (before.locks.length === 0) return ['select pg_advisory_unlock_all()'];
  const had = new Set(before.locks.map(({ key, shared }) => `${key} ${shared}`));
  return after.locks
    .filter(({ key, shared }) => !had.has(`${key} ${shared}`))
    .map(({ key, shared }) => {
      // It may be held several times. A transaction's lock can't be released, and ends with it.
      const unlock = `pg_advisory_unlock${shared ? '_shared' : ''}(${key})`;
      return `do $$ begin while ${unlock} loop end loop; end $$`;
    });
}

/** Returns the statements that give custom settings the values that they had before. */
function customStatements(now: SessionState, before: SessionState): string[] {
  return Object.entries({ ...now.custom, ...before.custom }).flatMap(([name]) => {
    // A setting that was reset is empty, and one that never was set null.
    const [value, former] = [now.custom[name] ?? '', before.custom[name] ?? ''];
    if (value === former) return [];
    const quoted = name
      .split('.')
      .map((part) => `"${part}"`)
      .join('.');
    return [former === '' ? `reset ${quoted}` : `set ${quoted} = ${literal(former)}`];
  });
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
