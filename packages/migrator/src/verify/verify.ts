import { withScratchDatabase } from '../catalog/scratch-database.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { CodeMigration } from '../files/code-migration.ts';
import { readMigrations } from '../files/read-migrations.ts';
import { readState } from '../ledger/state.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import type { Certificate } from './certificate.ts';
import type { VerificationContext } from './context.ts';
import type { Findings } from './findings.ts';
import { certifyChain, chainName, verifyChain } from './verify-chain.ts';
import { verifyEach, type OpenTraffic } from './verify-each.ts';

/** Which migrations to verify. */
export interface VerifyRequest {
  /** Names, all that are pending, without optional ones, or all. Default `all`. */
  readonly migrations?: readonly string[] | 'pending' | 'all' | undefined;
  /**
   * Also measures each statement on so many generated rows in each table that the migration touches: its time, the locks that it takes, and for
   * how long readers and writers wait. Absent for no measurement.
   */
  readonly rows?: number | undefined;
  /**
   * Whether requests of running code are sent while each is applied and reverted: generated ones, and those of modules. Default false.
   */
  readonly traffic?: boolean | TrafficWorkloads | undefined;
  /** Called with what is verified now. */
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

/** Modules with the requests of two builds of a service, by their paths. See `OpenWorkload`. */
export interface TrafficWorkloads {
  /** Of the previous build: sent all along, on the schema of before the first migration. */
  readonly old?: string | undefined;
  /** Of this build: sent from the end of the last `up` until the first `down` begins. */
  readonly new?: string | undefined;
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
  openTraffic: OpenTraffic | null = null,
): Promise<Certificate[]> {
  const migrations = await readMigrations(migrated.orm);
  const names = await namesOf(migrated, migrations, chosen);
  if (names.length === 0) return [];
  const { schema, tables, ignored } = migrated;
  const context = { schema, log: tables.log, ignored, learned: new Map(), templates: new Map() };
  const isWhole = chosen === 'all' && names.length > 1;
  const count = names.length + (isWhole ? 1 : 0);
  const reportFor = (migration: string) => (step: string) =>
    onProgress?.({ migration, number: [...names, chainName].indexOf(migration) + 1, count, step });
  const certificates = await verifyEach(migrated, {
    migrations,
    names,
    rows,
    openTraffic,
    context,
    reportFor,
  });
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
  migrations: readonly CodeMigration[],
  chosen: NonNullable<VerifyRequest['migrations']>,
): Promise<readonly string[]> {
  const known = migrations.map(({ name }) => name);
  if (chosen === 'all') return known;
  if (chosen === 'pending') {
    const { log } = await readState(migrated.orm, migrated.tables);
    const applied = new Set(log.map(({ name }) => name));
    return migrations.flatMap((one) => (one.optional === null && !applied.has(one.name) ? [one.name] : []));
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
