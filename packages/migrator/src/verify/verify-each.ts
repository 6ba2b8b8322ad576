import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import type { ServerGuard } from '../catalog/server-guard.ts';
import { digestOf, type CodeMigration, type LoadedMigration } from '../files/code-migration.ts';
import type { Session } from '../session/session.ts';
import { certify, type Certificate } from './certificate.ts';
import type { VerificationContext } from './context.ts';
import { measureMigration } from './measure-migration.ts';
import type { TrafficReport } from './traffic-report.ts';
import { verifyMigration } from './verify-migration.ts';
import { Workspace } from './workspace.ts';

/** The scratch database in the state before a migration. */
interface TrafficStage {
  readonly migrated: MigratedDatabase;
  readonly server: Session;
  readonly scratch: MikroORM;
  readonly guard: ServerGuard;
  /** The migrations from the first to the last that are verified. */
  readonly range: readonly LoadedMigration[];
}

/** Sends requests while a migration is applied and reverted on copies of the scratch database. */
interface TrafficMeasure extends AsyncDisposable {
  /** Returns null when `up` fails without rows. */
  measure(context: VerificationContext, migration: LoadedMigration): Promise<TrafficReport | null>;
}

/** Prepares to send requests. */
export type OpenTraffic = (stage: TrafficStage) => Promise<TrafficMeasure>;

/** What is verified, and how. */
interface Chosen {
  readonly migrations: readonly CodeMigration[];
  readonly names: readonly string[];
  readonly rows: number | undefined;
  readonly openTraffic: OpenTraffic | null;
  readonly context: Omit<VerificationContext, 'workspace' | 'report'>;
  readonly reportFor: (migration: string) => (step: string) => void;
}

/** Verifies each of these migrations on the schema of those before it. */
export async function verifyEach(
  migrated: MigratedDatabase,
  { migrations, names, rows, openTraffic, context, reportFor }: Chosen,
): Promise<Certificate[]> {
  const positions = migrations.flatMap(({ name }, index) => (names.includes(name) ? [index] : []));
  const range = await Promise.all(
    migrations.slice(positions[0], (positions.at(-1) ?? 0) + 1).map((migration) => migration.load()),
  );
  return withScratchServer(migrated, (server) =>
    withScratchDatabase(migrated, async (scratch, guard) => {
      const migrator = migrated.migratorFor(scratch, guard);
      const workspace = await Workspace.of(server, scratch);
      const certificates: Certificate[] = [];
      await using traffic = await openTraffic?.({ migrated, server, scratch, guard, range });
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
            if (traffic) {
              reporting.report('traffic');
              findings.traffic = await traffic.measure(reporting, loaded);
            }
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
