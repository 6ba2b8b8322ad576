import { setTimeout } from 'node:timers/promises';
import { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { ServerGuard } from '../catalog/server-guard.ts';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { withQueriesIntercepted } from '../session/driver-options.ts';
import { onOwnConnection } from '../session/own-connection.ts';

/** Who runs migrations on copies. */
export interface CopyRunner {
  readonly migrated: MigratedDatabase;
  readonly guard: ServerGuard;
}

/** What happens on a copy while a migration runs on it. */
export interface Meanwhile {
  /** The tables that a long transaction has written to, by their quoted names. */
  readonly tables: readonly string[];
  /** For how long it stays open, in milliseconds. */
  readonly holding: number;
  /** Waits until each request was sent. */
  readonly pass: () => Promise<void>;
}

/**
 * Applies or reverts one migration by a runner with the timeouts and retries of a deployment, while a long transaction has written to the tables:
 * so that the runner has to wait for locks, and others behind it. Between two statements that are not in one transaction, each request is sent.
 */
export async function runUnderTraffic(
  copy: MikroORM,
  { migrated, guard }: CopyRunner,
  { name, transactional }: Pick<LoadedMigration, 'name' | 'transactional'>,
  direction: Direction,
  { tables, holding, pass }: Meanwhile,
): Promise<void> {
  let passed: Promise<void> = Promise.resolve();
  const orm = await MikroORM.init(
    withQueriesIntercepted(copy.config.getAll(), () => async (send, text, values) => {
      await passed;
      return send(text, values);
    }),
  );
  const follow = (event: { readonly kind: string; readonly name?: string }): void => {
    guard.follow(event);
    if (event.kind === 'statement' && !transactional) passed = pass();
  };
  try {
    const migrator = migrated.migratorFor(orm, { follow });
    await whileHolding(copy, tables, holding, () =>
      direction === 'up' ? migrator.up({ to: name }) : migrator.down({ steps: 1 }),
    );
  } finally {
    await orm.close(true);
  }
}

async function whileHolding(
  copy: MikroORM,
  tables: readonly string[],
  holding: number,
  work: () => Promise<unknown>,
): Promise<void> {
  if (tables.length === 0) {
    await work();
    return;
  }
  await onOwnConnection(copy, async (session) => {
    await session.query(`begin; lock table ${tables.join(', ')} in row exclusive mode`);
    const held = setTimeout(holding).then(() => session.query('commit'));
    try {
      await work();
    } finally {
      await held;
    }
  });
}
