import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { digestOf, type CodeMigration, type LoadedMigration } from '../files/code-migration.ts';
import { readMigrations } from '../files/read-migrations.ts';
import { readState } from '../ledger/state.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import { certify, type Certificate } from './certificate.ts';
import type { VerificationContext } from './context.ts';
import type { Findings } from './findings.ts';
import { certifyChain, chainName, verifyChain } from './verify-chain.ts';
import { measureMigration } from './measure-migration.ts';
import { verifyMigration } from './verify-migration.ts';
import { Workspace } from './workspace.ts';

/** Which migrations to verify. */
export interface VerifyRequest {
  /** Names, all that are pending, or all. Default `all`. */
  readonly migrations?: readonly string[] | 'pending' | 'all' | undefined;
  /**
   * Also measures each statement on so many generated rows in each table that the migration touches: its time, the locks that it takes, and for
   * how long readers and writers wait. Absent for no measurement.
   */
  readonly rows?: number | undefined;
  /** Called with what is verified now. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** What is verified now. */
export interface VerifyProgress {
  readonly migration: string;
  /** From 1. */
  readonly number: number;
  readonly count: number;
  readonly step: string;
}

/** Implements `Migrator.verify`. */
export async function verify(
  migrated: MigratedDatabase,
  { migrations: chosen = 'all', rows, onProgress }: VerifyRequest,
): Promise<Certificate[]> {
  const migrations = await readMigrations(migrated.orm);
  const names = await namesOf(
    migrated,
    migrations.map(({ name }) => name),
    chosen,
  );
  if (names.length === 0) return [];
  const { schema, tables, ignored } = migrated;
  const context = { schema, log: tables.log, ignored, learned: new Map(), templates: new Map() };
  const isWhole = chosen === 'all' && names.length > 1;
  const count = names.length + (isWhole ? 1 : 0);
  const reportFor = (migration: string) => (step: string) =>
    onProgress?.({ migration, number: [...names, chainName].indexOf(migration) + 1, count, step });
  const certificates = await verifyEach(migrated, { migrations, names, rows, context, reportFor });
  // What fails alone would fail there for the same reason.
  if (!isWhole || certificates.some(({ certificate }) => certificate === 'failed')) return certificates;
  const began = performance.now();
  const first = certificates.findLastIndex((one) => one.certificate === 'irreversible as declared') + 1;
  const findings = await verifyWhole(
    migrated,
    { ...context, report: reportFor(chainName) },
    migrations,
    first,
  );
  const durationMs = Math.round(performance.now() - began);
  return [...certificates, certifyChain(findings, certificates.slice(first), durationMs)];
}

interface Chosen {
  readonly migrations: readonly CodeMigration[];
  readonly names: readonly string[];
  readonly rows: number | undefined;
  readonly context: Omit<VerificationContext, 'workspace' | 'report'>;
  readonly reportFor: (migration: string) => (step: string) => void;
}

async function verifyEach(
  migrated: MigratedDatabase,
  { migrations, names, rows, context, reportFor }: Chosen,
): Promise<Certificate[]> {
  return withScratchServer(migrated, (server) =>
    withScratchDatabase(migrated, async (scratch, guard) => {
      const migrator = migrated.migratorFor(scratch, guard);
      const workspace = await Workspace.of(server, scratch);
      const certificates: Certificate[] = [];
      try {
        for (const migration of migrations) {
          const { name } = migration;
          if (names.includes(name)) {
            const began = performance.now();
            const before = guard.leftOut.length;
            guard.follow({ kind: 'started', name });
            const loaded = await migration.load();
            const reporting = { ...context, workspace, report: reportFor(name) };
            const findings = await verifyMigration(reporting, loaded);
            const durationMs = Math.round(performance.now() - began);
            const certificate = certify(
              name,
              findings.observations({
                leftOut: guard.leftOut.slice(before),
                durationMs,
                checksum: await checksumOf(loaded),
              }),
              loaded.declarations(),
            );
            certificates.push({
              ...certificate,
              ...(rows !== undefined && {
                measured: await measureMigration(reporting, migrated, loaded, rows),
              }),
            });
            if (certificates.length === names.length) break;
            if (findings.failures.some((text) => text.startsWith('up fails without rows'))) break;
          } else await workspace.discard();
          await migrator.repeat([name]);
        }
        return certificates;
      } finally {
        await workspace.discard();
      }
    }),
  );
}

async function checksumOf(migration: LoadedMigration): Promise<string | null> {
  const statements = await migration.emit('up').catch(() => null);
  return statements && digestOf(statements);
}

/** Verifies the migrations from `first` on as a whole: after the last one that can't be reverted. */
function verifyWhole(
  migrated: MigratedDatabase,
  context: Omit<VerificationContext, 'workspace'>,
  migrations: readonly CodeMigration[],
  first: number,
): Promise<Findings> {
  return withScratchDatabase(migrated, async (scratch, guard) => {
    const earlier = migrations.slice(0, first).map(({ name }) => name);
    await migrated.migratorFor(scratch, guard).repeat(earlier);
    const chain = await Promise.all(migrations.slice(first).map((migration) => migration.load()));
    return verifyChain(context, scratch, chain);
  });
}

async function namesOf(
  migrated: MigratedDatabase,
  known: readonly string[],
  chosen: NonNullable<VerifyRequest['migrations']>,
): Promise<readonly string[]> {
  if (chosen === 'all') return known;
  if (chosen === 'pending') {
    const { log } = await readState(migrated.orm, migrated.tables);
    const applied = new Set(log.map(({ name }) => name));
    return known.filter((name) => !applied.has(name));
  }
  for (const name of chosen) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    throw new MigrationRefusedError(
      `there is no migration ${name}${nearest === null ? '' : `; did you mean ${nearest}?`}`,
    );
  }
  return known.filter((name) => chosen.includes(name));
}
