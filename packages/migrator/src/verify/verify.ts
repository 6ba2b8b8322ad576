import type { MikroORM } from '@mikro-orm/postgresql';
import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { ServerGuard } from '../catalog/server-guard.ts';
import type { LoadedMigration } from '../files/code-migration.ts';
import { readMigrations } from '../files/read-migrations.ts';
import { readState } from '../ledger/state.ts';
import { MigrationRefusedError, nearestName } from '../session/errors.ts';
import type { Session } from '../session/session.ts';
import { certify, type Certificate } from './certificate.ts';
import type { VerificationContext } from './context.ts';
import type { TrafficReport } from './traffic-report.ts';
import { verifyMigration } from './verify-migration.ts';
import { Workspace } from './workspace.ts';

/** Which migrations to verify. */
export interface VerifyRequest {
  /** Names, all that are pending, or all. Default `all`. */
  readonly migrations?: readonly string[] | 'pending' | 'all' | undefined;
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

/** Implements `Migrator.verify`. */
export async function verify(
  migrated: MigratedDatabase,
  { migrations: chosen = 'all', onProgress }: VerifyRequest,
  openTraffic: OpenTraffic | null = null,
): Promise<Certificate[]> {
  const { orm, schema, tables, ignored } = migrated;
  const migrations = await readMigrations(orm);
  const names = await namesOf(
    migrated,
    migrations.map(({ name }) => name),
    chosen,
  );
  if (names.length === 0) return [];
  const positions = migrations.flatMap(({ name }, index) => (names.includes(name) ? [index] : []));
  const range = await Promise.all(
    migrations.slice(positions[0], (positions.at(-1) ?? 0) + 1).map((migration) => migration.load()),
  );
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
      await using traffic = await openTraffic?.({ migrated, server, scratch, guard, range });
      try {
        for (const migration of migrations) {
          const { name } = migration;
          if (names.includes(name)) {
            const began = performance.now();
            const before = guard.leftOut.length;
            guard.follow({ kind: 'started', name });
            const loaded = await migration.load();
            const progress = { migration: name, number: certificates.length + 1, count: names.length };
            const current = {
              ...context,
              report: (step: string) => onProgress?.({ ...progress, step }),
            };
            const findings = await verifyMigration(current, loaded);
            if (traffic) {
              current.report('traffic');
              findings.traffic = await traffic.measure(current, loaded);
            }
            const durationMs = Math.round(performance.now() - began);
            certificates.push(
              certify(
                name,
                findings.observations(guard.leftOut.slice(before), durationMs),
                loaded.declarations(),
              ),
            );
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
