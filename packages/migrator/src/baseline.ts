import { addToHistory, lastEntries } from './ledger/history.ts';
import { describeDifference } from './catalog/differences.ts';
import { readCatalog } from './catalog/catalog.ts';
import { MigrationRefusedError } from './session/errors.ts';
import type { Lease } from './lease/lease.ts';
import { describeLeftOut } from './catalog/server-guard.ts';
import { withScratchDatabase } from './catalog/scratch-database.ts';
import { requireConsistent } from './plan/selection.ts';
import { optionalTargets } from './plan/optional-targets.ts';
import { requireKnown } from './plan/targets.ts';
import type { MigrationEvent } from './run/context/migration-event.ts';
import { findRowChange } from './sql/changes-rows.ts';
import { inTransaction, poolSession } from './session/session.ts';
import type { State } from './ledger/state.ts';
import { differencesAfter, type MigratedDatabase } from './catalog/migrated-database.ts';

/** Which migrations to record as applied. */
export interface BaselineRequest {
  /** The last one. */
  readonly name: string;
  /** Optional ones before it, whose results the schema has too: their names, or beginnings that no other has. */
  readonly optional?: readonly string[] | undefined;
}

/** Implements `Migrator.baseline`, for the holder of the lease. */
export async function baseline(
  migrated: MigratedDatabase,
  lease: Lease,
  state: State,
  request: BaselineRequest,
  report: (event: MigrationEvent) => void,
): Promise<string[]> {
  const { orm, schema, tables } = migrated;
  const { name } = request;
  const declared = toDeclare(state, request);
  if (declared.length === 0) return [];
  const applied = state.log.map((row) => row.name);
  const found = await readCatalog(orm, schema);
  const names = [...applied, ...declared.map((migration) => migration.name)];
  const sent = new Map<string, string[]>();
  const observed: MigratedDatabase = {
    ...migrated,
    migratorFor: (scratch, guard) =>
      migrated.migratorFor(scratch, {
        follow: (event) => {
          guard?.follow(event);
          const { kind, name: of = '', sql } = event;
          if (kind === 'statement' && sql !== undefined) {
            const statements = sent.get(of) ?? [];
            statements.push(sql);
            sent.set(of, statements);
          }
        },
      }),
  };
  const { differing, repeated, leftOut } = await withScratchDatabase(migrated, async (scratch, guard) => ({
    differing: await differencesAfter(observed, { scratch, guard }, names, found),
    // What each of them sent.
    repeated: await lastEntries(poolSession(scratch), tables),
    leftOut: guard.leftOut,
  }));
  if (differing.length > 0) {
    throw new MigrationRefusedError(
      `the schema differs from what the migrations up to ${name} create; nothing was changed. Remove the differences, or choose another migration:\n` +
        [...differing.map(describeDifference), ...leftOut.map(describeLeftOut)]
          .map((line) => `  ${line}`)
          .join('\n'),
    );
  }
  await lease.recordWork({ migration: name, direction: 'baseline' });
  await inTransaction(orm, async (session) => {
    await lease.guard(session);
    for (const migration of declared) {
      await session.query(`insert into ${tables.log} (name) values ($1)`, [migration.name]);
      await addToHistory(session, tables, {
        name: migration.name,
        direction: 'baseline',
        outcome: 'done',
        checksum: repeated.get(migration.name)?.checksum ?? null,
        textDigest: migration.textDigest,
        token: lease.token,
      });
    }
  });
  await lease.recordIdle();
  for (const migration of declared) {
    const isKnown = repeated.get(migration.name)?.checksum != null;
    const reason = isKnown ? await unverifiedPart(sent.get(migration.name) ?? []) : 'queries the database';
    if (reason !== null) report({ kind: 'unverified', name: migration.name, reason });
  }
  return declared.map((migration) => migration.name);
}

/** Returns what statements do that a comparison of schemas does not see; null for nothing. */
async function unverifiedPart(statements: readonly string[]): Promise<string | null> {
  let found: string | null = null;
  for (const sql of statements) {
    const change = await findRowChange(sql);
    if (change === 'changes rows') return change;
    found ??= change;
  }
  return found;
}

function toDeclare(state: State, { name, optional = [] }: BaselineRequest) {
  requireConsistent(state);
  const names = state.migrations.map((migration) => migration.name);
  requireKnown(name, names);
  const wanted = new Set([...optionalTargets(optional, state), name]);
  const applied = new Set(state.log.map((row) => row.name));
  const at = names.indexOf(name);
  const declared = state.migrations
    .slice(0, at + 1)
    .filter((one) => !applied.has(one.name) && (one.optional === null || wanted.has(one.name)));
  const beyond = names.slice(at + 1).filter((one) => applied.has(one));
  // An optional one may be applied after later ones.
  const goesBack = state.migrations[at]?.optional === null || declared.some((one) => one.optional === null);
  if (beyond.length > 0 && goesBack) {
    throw new MigrationRefusedError(
      `${beyond.join(', ')} ${beyond.length === 1 ? 'is' : 'are'} applied and newer than ${name}: a baseline can't go back; run \`up\``,
    );
  }
  return declared;
}
