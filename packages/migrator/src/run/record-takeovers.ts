import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { digestOf, type CodeMigration } from '../files/code-migration.ts';
import type { Lease } from '../lease/lease.ts';
import { addToHistory } from '../ledger/history.ts';
import type { State } from '../ledger/state.ts';
import { MigratorError } from '../session/errors.ts';
import { inTransaction } from '../session/session.ts';
import type { MigrationEvent } from './context/migration-event.ts';

/**
 * Records each squash of which all replaced migrations are applied as applied in their place, all in one transaction. Sends none of its
 * statements: the tables have its result already.
 *
 * @throws MigrationRefusedError when its class can't be loaded, or replaces others than its text lists; MigratorError `lock_lost`, and
 * `failed` when the log was changed meanwhile.
 */
export async function recordTakeovers(
  { orm, tables }: Pick<MigratedDatabase, 'orm' | 'tables'>,
  lease: Lease,
  { migrations, log, takeovers }: State,
  report: (event: MigrationEvent) => void,
): Promise<void> {
  if (takeovers.length === 0) return;
  const digests = new Map<string, string | null>();
  for (const migration of migrations)
    if (takeovers.some(({ name }) => name === migration.name))
      digests.set(migration.name, await checksumOf(migration));
  await inTransaction(orm, async (session) => {
    await lease.guard(session);
    for (const { name, replaced } of takeovers) {
      const deleted = await session.query(`delete from ${tables.log} where id = any($1) returning 1`, [
        replaced.map(({ id }) => id),
      ]);
      const row = log.find((one) => one.name === name);
      const inserted = await session.query(
        `insert into ${tables.log} (id, name, executed_at) overriding system value values ($1, $2, $3) returning 1`,
        [row?.id, name, row?.executedAt],
      );
      if (deleted.length !== replaced.length || inserted.length !== 1)
        throw new MigratorError(
          'failed',
          `${name} could not take over, because ${tables.log} was changed at the same time, or a trigger discards its rows; nothing was changed. Retry`,
        );
      const entry = { outcome: 'done', token: lease.token } as const;
      for (const former of replaced) {
        await addToHistory(session, tables, {
          ...entry,
          name: former.name,
          direction: 'replaced',
          checksum: null,
          note: `replaced by ${name}`,
        });
      }
      await addToHistory(session, tables, {
        ...entry,
        name,
        direction: 'squash',
        checksum: digests.get(name) ?? null,
        textDigest: migrations.find((one) => one.name === name)?.textDigest,
        note: `in place of ${replaced.length} migrations`,
      });
    }
  });
  for (const { name, replaced } of takeovers)
    report({ kind: 'takeover', name, replaced: replaced.map((one) => one.name) });
}

async function checksumOf(migration: CodeMigration): Promise<string | null> {
  const loaded = await migration.load();
  const statements = await loaded.emit('up').catch(() => null);
  return statements && digestOf(statements);
}
