import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from './catalog/migrated-database.ts';
import { digestOf, type CodeMigration, type Direction } from './files/code-migration.ts';
import type { Lease } from './lease/lease.ts';
import { addToHistory, type RepairAction } from './ledger/history.ts';
import type { State } from './ledger/state.ts';
import { hasOtherText, statusOf, type MigrationStatus } from './ledger/status.ts';
import { requireKnown } from './plan/targets.ts';
import { leftIndexes } from './leftovers/left-indexes.ts';
import { remainingIndexes } from './leftovers/remaining-statements.ts';
import { parseTarget } from './leftovers/statement-target.ts';
import { onOwnConnection } from './session/own-connection.ts';
import { MigrationRefusedError } from './session/errors.ts';
import { inTransaction } from './session/session.ts';

/** A repair of the books, for what no command can finish. It changes no table of the project. */
export interface RepairRequest {
  /**
   * - `applied`: records a migration as applied, which was applied by hand
   * - `reverted`: records it as not applied, because it was reverted by hand
   * - `abandon`: forgets how far an interrupted migration came, and drops the INVALID index that it left
   * - `accept`: takes the file of an applied migration as it is now
   * - `forget`: takes a migration whose file was deleted out of the log
   */
  readonly action: RepairAction;
  readonly name: string;
  /** Why, for the history. */
  readonly reason: string;
}

type Refusal = (found: MigrationStatus) => string | null;

const isApplied = ({ appliedAt }: MigrationStatus): boolean => appliedAt !== null;

/** Why an action does not fit what was found; null when it does. */
const refusals: Readonly<Record<RepairAction, Refusal>> = {
  applied: (found) => (isApplied(found) ? 'is applied already' : null),
  reverted: (found) =>
    isApplied(found) || found.condition === 'unfinished' ? null : 'is neither applied nor unfinished',
  abandon: ({ condition }) => (condition === 'unfinished' ? null : 'is not unfinished'),
  accept: ({ condition }) => (condition === 'edited' ? null : 'is not edited'),
  forget: ({ condition }) =>
    ['missing', 'ahead', 'unfinished'].includes(condition)
      ? null
      : 'has a file; `forget` is for deleted ones',
};

/** Implements `Migrator.repair`, for the holder of the lease. */
export async function repair(
  { orm, tables }: MigratedDatabase,
  lease: Lease,
  state: State,
  { action, name, reason }: RepairRequest,
): Promise<void> {
  if (reason.trim() === '') throw new MigrationRefusedError('a repair needs a reason, for the history');
  const status = statusOf(state);
  requireKnown(
    name,
    status.map((one) => one.name),
  );
  const found = status.find((one) => one.name === name);
  if (found?.condition === 'takeover')
    throw new MigrationRefusedError(
      `${name} is applied as the migrations that it replaces: run \`up\` first, which records it; nothing was changed`,
    );
  const refusal = found && !(action === 'accept' && isIncomparable(state, name)) && refusals[action](found);
  if (typeof refusal === 'string') throw new MigrationRefusedError(`${name} ${refusal}; nothing was changed`);
  const migration = state.migrations.find((one) => one.name === name);
  if (action === 'forget' && migration)
    throw new MigrationRefusedError(
      `${name} has a file; \`forget\` is for deleted ones; nothing was changed`,
    );
  if (action === 'abandon') await dropInvalidIndexes(orm, name, migration, state);
  const checksum = action === 'accept' && migration ? await checksumOf(migration) : null;
  await inTransaction(orm, async (session) => {
    await lease.guard(session);
    if (action === 'applied') await session.query(`insert into ${tables.log} (name) values ($1)`, [name]);
    if (action === 'reverted' || action === 'forget') {
      // The ORM logs names with their extension in some versions.
      await session.query(`delete from ${tables.log} where name = any($1)`, [
        [name, `${name}.js`, `${name}.ts`],
      ]);
    }
    if (action !== 'accept')
      await session.query(`delete from ${tables.progress} where name = $1 and chain in ('', $2)`, [
        name,
        tables.chain,
      ]);
    await addToHistory(session, tables, {
      name,
      direction: action,
      outcome: 'done',
      checksum,
      textDigest: action === 'applied' || action === 'accept' ? migration?.textDigest : null,
      note: reason,
      token: lease.token,
    });
  });
}

/** Whether a file has another text than was applied, and its SQL can't be compared: `status` shows it as edited. */
function isIncomparable({ migrations, history, edits }: State, name: string): boolean {
  const [migration, entry] = [migrations.find((one) => one.name === name), history.get(name)];
  return (
    migration !== undefined &&
    entry !== undefined &&
    edits.get(name) === 'unknown' &&
    hasOtherText(migration, entry)
  );
}

/** Returns the digest of what a migration sends; null when it can't be loaded, throws or queries the database. */
async function checksumOf(migration: CodeMigration): Promise<string | null> {
  try {
    const statements = await (await migration.load()).emit('up');
    return statements && digestOf(statements);
  } catch {
    return null;
  }
}

/** Drops the INVALID indexes that the unfinished statements of a migration have left, also where its file was rewritten or deleted. */
async function dropInvalidIndexes(
  orm: MikroORM,
  name: string,
  migration: CodeMigration | undefined,
  { progress }: State,
): Promise<void> {
  const unfinished = progress.filter((row) => row.name === name && !row.done);
  for (const { direction, statement, place } of unfinished) {
    const target = place === null ? null : parseTarget(place);
    // Earlier versions recorded no target.
    const sql = target ? undefined : await statementOf(migration, direction, statement);
    if (!target && sql === undefined) continue;
    await onOwnConnection(orm, async (session) => {
      const drops = target ? await leftIndexes(target, session) : await remainingIndexes(sql ?? '', session);
      for (const drop of drops) await session.query(drop);
    });
  }
}

async function statementOf(
  migration: CodeMigration | undefined,
  direction: Direction,
  index: number,
): Promise<string | undefined> {
  const loaded = await migration?.load();
  return (await loaded?.emit(direction))?.[index];
}
