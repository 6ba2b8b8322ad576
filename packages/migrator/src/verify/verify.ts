import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { readMigrations } from '../files/read-migrations.ts';
import { readState } from '../ledger/state.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import { certify, type Certificate } from './certificate.ts';
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
  const { orm, schema, tables, ignored } = migrated;
  const migrations = await readMigrations(orm);
  const names = await namesOf(
    migrated,
    migrations.map(({ name }) => name),
    chosen,
  );
  if (names.length === 0) return [];
  return withScratchServer(migrated, (server) =>
    withScratchDatabase(migrated, async (scratch, guard) => {
      const migrator = migrated.migratorFor(scratch, guard);
      const workspace = await Workspace.of(server, scratch);
      const context = {
        workspace,
        schema,
        log: tables.log,
        ignored,
        learned: new Map(),
        templates: new Map(),
      };
      const certificates: Certificate[] = [];
      try {
        for (const migration of migrations) {
          const { name } = migration;
          if (names.includes(name)) {
            const began = performance.now();
            const before = guard.leftOut.length;
            guard.follow({ kind: 'started', name });
            const loaded = await migration.load();
            const progress = { migration: name, number: certificates.length + 1, count: names.length };
            const reporting = {
              ...context,
              report: (step: string) => onProgress?.({ ...progress, step }),
            };
            const findings = await verifyMigration(reporting, loaded);
            const durationMs = Math.round(performance.now() - began);
            const certificate = certify(
              name,
              findings.observations(guard.leftOut.slice(before), durationMs),
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
