import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase, withScratchServer } from '../catalog/scratch-database.ts';
import type { LeftOut, ServerGuard } from '../catalog/server-guard.ts';
import { digestOf, type CodeMigration, type LoadedMigration } from '../files/code-migration.ts';
import type { Measurement } from '../measure/measurement.ts';
import type { Session } from '../session/session.ts';
import { certify, type Certificate } from './certificate.ts';
import type { VerificationContext } from './context.ts';
import type { Findings } from './findings.ts';
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
  /** The migrations from the first to the last that are verified; of optional ones, only those. */
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

/**
 * Verifies each of these migrations on the schema of those before it, without optional ones. An optional one is verified at its place, and again
 * after all that are not optional.
 */
export async function verifyEach(migrated: MigratedDatabase, chosen: Chosen): Promise<Certificate[]> {
  const { migrations, names, openTraffic } = chosen;
  const positions = migrations.flatMap(({ name }, index) => (names.includes(name) ? [index] : []));
  const range = await Promise.all(
    migrations
      .slice(positions[0], (positions.at(-1) ?? 0) + 1)
      .filter(({ name, optional }) => optional === null || names.includes(name))
      .map((migration) => migration.load()),
  );
  return withScratchServer(migrated, (server) =>
    withScratchDatabase(migrated, async (scratch, guard) => {
      const workspace = await Workspace.of(server, scratch);
      await using traffic = await openTraffic?.({ migrated, server, scratch, guard, range });
      try {
        const run = new EachRun(chosen, { migrated, scratch, guard, workspace, traffic: traffic ?? null });
        return await run.verify();
      } finally {
        await workspace.discard();
      }
    }),
  );
}

/** Where migrations are verified. */
interface Place {
  readonly migrated: MigratedDatabase;
  readonly scratch: MikroORM;
  readonly guard: ServerGuard;
  readonly workspace: Workspace;
  readonly traffic: TrafficMeasure | null;
}

/** What was found of a migration. */
interface Verified {
  readonly migration: LoadedMigration;
  readonly findings: Findings;
  readonly leftOut: readonly LeftOut[];
  readonly measured: Measurement | null;
  durationMs: number;
}

class EachRun {
  readonly #chosen: Chosen;
  readonly #place: Place;
  readonly #verified: Verified[] = [];

  constructor(chosen: Chosen, place: Place) {
    this.#chosen = chosen;
    this.#place = place;
  }

  async verify(): Promise<Certificate[]> {
    const { migrations, names } = this.#chosen;
    const { migrated, scratch, guard, workspace } = this.#place;
    const migrator = migrated.migratorFor(scratch, guard);
    const again = this.#optionalBeforeOthers();
    for (const migration of migrations) {
      const isChosen = names.includes(migration.name);
      const isUp = !isChosen || (await this.#verifyOne(migration));
      if (again.size === 0 && this.#verified.length === names.length) break;
      // What follows is verified without it.
      if (migration.optional !== null) {
        if (isChosen) await workspace.discard();
        continue;
      }
      if (!isUp) return this.#certificates();
      if (!isChosen) await workspace.discard();
      await migrator.repeat([migration.name]);
    }
    for (const one of this.#verified) if (again.has(one.migration.name)) await this.#verifyAgain(one);
    return this.#certificates();
  }

  /** Returns the optional migrations that are verified, and have one after them that is not optional. */
  #optionalBeforeOthers(): ReadonlySet<string> {
    const { migrations, names } = this.#chosen;
    const last = migrations.findLastIndex(({ optional }) => optional === null);
    const before = migrations.slice(0, last + 1).filter(({ optional }) => optional !== null);
    return new Set(before.flatMap(({ name }) => (names.includes(name) ? [name] : [])));
  }

  /** Returns whether `up` succeeds without rows, so that the next one can be verified. */
  async #verifyOne(code: CodeMigration): Promise<boolean> {
    const { rows } = this.#chosen;
    const { migrated, guard, traffic } = this.#place;
    const began = performance.now();
    const before = guard.leftOut.length;
    guard.follow({ kind: 'started', name: code.name });
    const migration = await code.load();
    const context = this.#contextFor(code.name);
    const findings = await verifyMigration(context, migration);
    if (traffic) {
      context.report('traffic');
      findings.traffic = await traffic.measure(context, migration);
    }
    const durationMs = Math.round(performance.now() - began);
    const leftOut = guard.leftOut.slice(before);
    const measured = rows === undefined ? null : await measureMigration(context, migrated, migration, rows);
    this.#verified.push({ migration, findings, leftOut, durationMs, measured });
    return !findings.failures.some((text) => text.startsWith('up fails without rows'));
  }

  /** Verifies an optional migration as it is applied after all others. What fails at its place would fail again. */
  async #verifyAgain(one: Verified): Promise<void> {
    const { migration, findings } = one;
    if (findings.failures.length + findings.differences.length > 0) return;
    const began = performance.now();
    this.#place.guard.follow({ kind: 'started', name: migration.name });
    const found = await verifyMigration(this.#contextFor(migration.name), migration);
    findings.addAll(found, 'after all others');
    one.durationMs += Math.round(performance.now() - began);
    await this.#place.workspace.discard();
  }

  #contextFor(name: string): VerificationContext {
    const { context, reportFor } = this.#chosen;
    return { ...context, workspace: this.#place.workspace, report: reportFor(name) };
  }

  #certificates(): Promise<Certificate[]> {
    return Promise.all(this.#verified.map(certificateOf));
  }
}

async function certificateOf(verified: Verified): Promise<Certificate> {
  const { migration, findings, leftOut, durationMs, measured } = verified;
  const checksum = await checksumOf(migration);
  const seen = findings.observations({ leftOut, durationMs, checksum });
  const certificate = certify(migration.name, seen, migration.declarations());
  return measured ? { ...certificate, measured } : certificate;
}

async function checksumOf(migration: LoadedMigration): Promise<string | null> {
  const statements = await migration.emit('up').catch(() => null);
  return statements && digestOf(statements);
}
