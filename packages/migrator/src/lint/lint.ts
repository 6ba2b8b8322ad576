import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import { withScratchDatabase } from '../catalog/scratch-database.ts';
import type { ServerGuard } from '../catalog/server-guard.ts';
import type { CodeMigration, Direction, LoadedMigration } from '../files/code-migration.ts';
import { readMigrations } from '../files/read-migrations.ts';
import type { State } from '../ledger/state.ts';
import { requireKnown } from '../plan/targets.ts';
import type { Limits } from '../run/context/limits.ts';
import { poolSession } from '../session/session.ts';
import { findingsOf } from './evaluate.ts';
import type { Finding, LintReport, NotLinted, SilencedFinding } from './observation/finding.ts';
import { observedMigration, type ObservedStatement } from './observation/observed-statement.ts';
import { Recorder } from './observation/recorder.ts';
import { runMigration } from './observation/run-migration.ts';
import { silence } from './silence.ts';
import { haveSameObjects, readSnapshot, type Snapshot } from './observation/snapshot.ts';
import { withMessages, type Messages } from './observation/with-messages.ts';

/** Which migrations to lint. */
export interface LintRequest {
  /** Their names, or all of the code, or those that are not applied, without optional ones. Default `pending`. */
  readonly migrations?: readonly string[] | 'pending' | 'all' | undefined;
  /** Also measures for how long locks are held, on so many generated rows in each table that a migration touches. Absent for no measurement. */
  readonly rows?: number | undefined;
}

/** Implements `Migrator.lint`. */
export async function lint(
  migrated: MigratedDatabase,
  state: State,
  limits: Limits,
  { migrations: requested = 'pending' }: LintRequest,
): Promise<LintReport> {
  const chosen = chosenFrom(state, requested);
  const order = orderOf(state, chosen);
  const last = order.findLastIndex((name) => chosen.has(name));
  if (last === -1) return { migrations: [], findings: [], silenced: [], notLinted: [], leftOut: [] };
  return withScratchDatabase(migrated, (scratch, guard) =>
    withMessages(scratch, async (orm, messages) => {
      const code = new Map((await readMigrations(orm)).map((one) => [one.name, one]));
      const linter = new Linter({ migrated, orm, guard, messages, limits });
      const names = order.slice(0, last + 1);
      for (const name of names) {
        const migration = code.get(name);
        if (migration && !(await linter.run(migration, chosen.has(name)))) break;
      }
      return linter.report(names.filter((name) => chosen.has(name)));
    }),
  );
}

/**
 * Returns the names of the migrations in the order in which they run: first what is applied, in that order, as on the database. Without optional
 * ones that are neither applied nor `chosen`.
 */
export function orderOf({ log, migrations }: State, chosen: ReadonlySet<string>): string[] {
  const known = new Set(migrations.map(({ name }) => name));
  const applied = log.map(({ name }) => name).filter((name) => known.has(name));
  const others = migrations.filter(({ name, optional }) => optional === null || chosen.has(name));
  return [...new Set([...applied, ...others.map(({ name }) => name)])];
}

function chosenFrom(
  { log, migrations }: State,
  requested: NonNullable<LintRequest['migrations']>,
): ReadonlySet<string> {
  const names = migrations.map(({ name }) => name);
  if (requested === 'all') return new Set(names);
  if (requested === 'pending') {
    const applied = new Set(log.map(({ name }) => name));
    const pending = migrations.filter(({ name, optional }) => optional === null && !applied.has(name));
    return new Set(pending.map(({ name }) => name));
  }
  for (const name of requested) requireKnown(name, names);
  return new Set(requested);
}

interface LinterOptions {
  readonly migrated: MigratedDatabase;
  readonly orm: MikroORM;
  readonly guard: ServerGuard;
  readonly messages: Messages;
  readonly limits: Limits;
}

/** Runs migrations on a scratch database, and lints some of them. */
class Linter {
  readonly #options: LinterOptions;
  readonly #linted: string[] = [];
  readonly #findings: Finding[] = [];
  readonly #silenced: SilencedFinding[] = [];
  readonly #notLinted: NotLinted[] = [];

  constructor(options: LinterOptions) {
    this.#options = options;
  }

  report(chosen: readonly string[]): LintReport {
    const { guard } = this.#options;
    const stopped = this.#notLinted.find(({ direction }) => direction === 'up');
    const unreached = stopped
      ? chosen
          .filter((name) => !this.#linted.includes(name) && name !== stopped.migration)
          .map((migration): NotLinted => ({
            migration,
            direction: 'up',
            reason: `${stopped.migration} before it failed`,
          }))
      : [];
    return {
      migrations: this.#linted,
      findings: this.#findings,
      silenced: this.#silenced,
      notLinted: [...this.#notLinted, ...unreached],
      leftOut: guard.leftOut.filter(({ migration }) => chosen.includes(migration ?? '')),
    };
  }

  /** Runs `up` of a migration, and `down` of one that is linted. Returns whether the next one can run. */
  async run(code: CodeMigration, isLinted: boolean): Promise<boolean> {
    const { guard } = this.#options;
    guard.follow({ kind: 'started', name: code.name });
    try {
      const migration = await code.load();
      if (!isLinted) {
        await this.#send(migration, 'up', null);
        return true;
      }
      return await this.#lint(migration);
    } catch (error) {
      this.#notLinted.push({ migration: code.name, direction: 'up', reason: messageOf(error) });
      return false;
    } finally {
      guard.follow({ kind: 'done', name: code.name });
    }
  }

  async #lint(migration: LoadedMigration): Promise<boolean> {
    const { name } = migration;
    const declared = migration.declarations();
    const start = await this.#snapshot();
    const up = this.#recorder(migration, 'up', start);
    const failure = await this.#attempt(migration, up);
    const goesBack = failure === null && migration.hasDown;
    const down = goesBack ? this.#recorder(migration, 'down', start) : null;
    if (down) down.migration.final = up.migration.final;
    const failedDown = down && (await this.#attempt(migration, down));
    // That of a migration in one transaction was rolled back.
    const isReverted = down !== null && !haveSameObjects(down.migration.final, up.migration.final);
    if (isReverted && !migration.transactional) await this.#send(migration, 'up', null);
    const ignored = (object: ObservedStatement, finding: Finding): boolean =>
      this.#isIgnored(object, finding);
    const found = [up, ...(down ? [down] : [])].flatMap((one) => findingsOf(one.statements, ignored));
    const { findings, silenced } = silence(name, found, declared.lint);
    this.#findings.push(...findings);
    this.#silenced.push(...silenced);
    if (failedDown != null) this.#notLinted.push({ migration: name, direction: 'down', reason: failedDown });
    if (failure !== null) {
      this.#notLinted.push({ migration: name, direction: 'up', reason: failure });
      return false;
    }
    this.#linted.push(name);
    return true;
  }

  /** Returns why a direction failed; null when it did not. */
  async #attempt(migration: LoadedMigration, recorder: Recorder): Promise<string | null> {
    try {
      await this.#send(migration, recorder.migration.direction, recorder);
      return null;
    } catch (error) {
      return messageOf(error);
    }
  }

  #recorder(migration: LoadedMigration, direction: Direction, start: Snapshot): Recorder {
    const { loses } = migration.declarations();
    const { migrated, messages } = this.#options;
    return new Recorder(observedMigration(migration, direction, { loses, start }), migrated.schema, messages);
  }

  #send(migration: LoadedMigration, direction: Direction, recorder: Recorder | null): Promise<void> {
    const { orm, limits } = this.#options;
    return runMigration(orm, { migration, direction, limits, recorder, isTrial: direction === 'down' });
  }

  #snapshot(): Promise<Snapshot> {
    const { orm, migrated } = this.#options;
    return readSnapshot(poolSession(orm), migrated.schema);
  }

  #isIgnored(statement: ObservedStatement, { table }: Finding): boolean {
    const { ignored } = this.#options.migrated;
    const relations = [...statement.observation.before.relations.values()];
    const found = relations.find(({ label }) => label === table);
    return found !== undefined && ignored.hasNamed(found.schema, found.name);
  }
}

function messageOf(error: unknown): string {
  return isNativeError(error) ? error.message : String(error);
}
