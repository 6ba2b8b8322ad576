import { setTimeout } from 'node:timers/promises';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { ServerGuard } from '../catalog/server-guard.ts';
import type { Direction } from '../files/code-migration.ts';
import { onOwnConnection } from '../session/own-connection.ts';

/** A copy of a database, migrated by a runner while others use it. */
export class CopyUnderTraffic {
  readonly orm: MikroORM;
  readonly #migrated: MigratedDatabase;
  readonly #guard: ServerGuard;

  constructor(orm: MikroORM, migrated: MigratedDatabase, guard: ServerGuard) {
    this.orm = orm;
    this.#migrated = migrated;
    this.#guard = guard;
  }

  /**
   * Applies or reverts one migration by a runner with the timeouts and retries of a deployment, while a long transaction has written to the
   * tables: so that the runner has to wait for locks, and others behind it.
   *
   * @param holding for how long the transaction stays open, in milliseconds.
   */
  async run(
    direction: Direction,
    name: string,
    { tables, holding }: { readonly tables: readonly string[]; readonly holding: number },
  ): Promise<void> {
    const migrator = this.#migrated.migratorFor(this.orm, this.#guard);
    await this.#whileHolding(tables, holding, () =>
      direction === 'up' ? migrator.up({ to: name }) : migrator.down({ steps: 1 }),
    );
  }

  async #whileHolding(
    tables: readonly string[],
    holding: number,
    work: () => Promise<unknown>,
  ): Promise<void> {
    if (tables.length === 0) {
      await work();
      return;
    }
    await onOwnConnection(this.orm, async (session) => {
      await session.query(`begin; lock table ${tables.join(', ')} in row exclusive mode`);
      const held = setTimeout(holding).then(() => session.query('commit'));
      try {
        await work();
      } finally {
        await held;
      }
    });
  }
}
