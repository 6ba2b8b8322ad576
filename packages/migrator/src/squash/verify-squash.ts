import { isNativeError } from 'node:util/types';
import { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog } from '../catalog/catalog.ts';
import { describeSquashDifference, differences } from '../catalog/differences.ts';
import type { IgnoredObjects } from '../catalog/ignored-objects.ts';
import { withScratchDatabase, type ScratchOrigin } from '../catalog/scratch-database.ts';
import type { LeftOut, ServerGuard } from '../catalog/server-guard.ts';
import { migrationClass, type MigrationClass } from '../files/migration-class.ts';
import type { DownRequest, UpRequest } from '../ledger/requests.ts';
import type { MigrationEvent } from '../run/context/migration-event.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import type { StatementGroup } from './recorded-migration.ts';
import type { SquashContent } from './source.ts';
import {
  readContents,
  stableColumns,
  unstableColumns,
  type TableContents,
  type ContentColumns,
} from './table-contents.ts';

/** What a comparison of a squash with its migrations could not cover. */
export interface SquashReport {
  /** Columns whose values differ each time the migrations run, such as times: `schema.table.column`. */
  readonly notCompared: readonly string[];
  /** Statements that the scratch databases did not receive. */
  readonly leftOut: readonly LeftOut[];
}

/** Migrates a scratch database. */
interface ScratchMigrator {
  up(request?: UpRequest): Promise<unknown>;
  down(request: DownRequest): Promise<unknown>;
}

/** What to verify. */
interface Verification extends ScratchOrigin {
  readonly migratorOf: (scratch: MikroORM, onEvent: (event: MigrationEvent) => void) => ScratchMigrator;
  readonly ignored: IgnoredObjects;
  readonly name: string;
  readonly content: SquashContent;
}

/**
 * Compares a squash with the migrations that it replaces, on scratch databases: the catalogs, and the rows and sequences of all tables, after
 * `up`; where it can be reverted, the catalogs after `down`, and, if that leaves nothing behind, all again after another `up`.
 *
 * @throws MigrationRefusedError with each difference, or when the squash fails; MigratorError `failed` when a migration fails.
 */
export async function verifySquash(verification: Verification): Promise<SquashReport> {
  const { schema, ignored, content, migratorOf } = verification;
  const last = content.replaces.at(-1);
  const catalog = async (orm: MikroORM) => ignored.without(await readCatalog(orm, schema));
  return withScratchDatabase(verification, (former, formerGuard) =>
    withScratchDatabase(verification, (scratch, guard) =>
      withSquash(scratch, verification, async (squashed) => {
        const chain = migratorOf(former, (event) => formerGuard.follow(event));
        const squash = new SquashRun(squashed, guard, verification);
        const empty = await catalog(squashed);
        await chain.up({ to: last });
        await squash.run('up');
        const expected = await catalog(former);
        refuseDifferences('', differences(expected, await catalog(squashed)).map(describeSquashDifference));
        const { contents, notCompared, columns } = await compareContents(verification, former, squashed);
        if (content.down !== null) {
          await chain.down({ all: true });
          await squash.run('down');
          refuseDifferences(
            ' after `down`',
            differences(await catalog(former), await catalog(squashed)).map(describeSquashDifference),
          );
          // Where the migrations leave something behind, they can't be applied again either.
          if (differences(empty, await catalog(squashed)).length > 0)
            return { notCompared, leftOut: guard.leftOut };
          await squash.run('up');
          refuseDifferences(' after `down` and `up`', [
            ...differences(expected, await catalog(squashed)).map(describeSquashDifference),
            ...differingContents(contents, await readContents(squashed, { schema, ignored, columns })),
          ]);
        }
        return { notCompared, leftOut: guard.leftOut };
      }),
    ),
  );
}

/** Runs `work` with an ORM of the same database that has the squash as its only migration. */
async function withSquash<T>(
  scratch: MikroORM,
  { name, content }: Verification,
  work: (orm: MikroORM) => Promise<T>,
): Promise<T> {
  const orm = await MikroORM.init({
    ...scratch.config.getAll(),
    migrations: {
      ...scratch.config.get('migrations'),
      migrationsList: [{ name, class: classOf(content) }],
    },
  });
  try {
    return await work(orm);
  } finally {
    await orm.close(true);
  }
}

function classOf({ transactional, settings, up, down, replaces }: SquashContent): MigrationClass {
  return migrationClass({
    transactional,
    settings,
    up: statementsOf(up),
    down: statementsOf(down ?? []),
    declared: { replaces },
  });
}

function statementsOf(groups: readonly StatementGroup[]): string[] {
  return groups.flatMap(({ statements }) => statements);
}

/** Runs a squash, and says of which migration the statement is that fails. */
class SquashRun {
  readonly #content: SquashContent;
  readonly #migrator: ScratchMigrator;
  #reached = 0;

  constructor(orm: MikroORM, guard: ServerGuard, { content, migratorOf }: Verification) {
    this.#content = content;
    this.#migrator = migratorOf(orm, (event) => {
      if (event.kind === 'statement') this.#reached = event.number;
      guard.follow(event);
    });
  }

  async run(direction: 'up' | 'down'): Promise<void> {
    try {
      await (direction === 'up' ? this.#migrator.up() : this.#migrator.down({ all: true }));
    } catch (cause) {
      const origins = (this.#content[direction] ?? []).flatMap(({ name, statements }) =>
        statements.map(() => name),
      );
      const origin = origins[this.#reached - 1] ?? 'one of the migrations';
      const why = isNativeError(cause) ? cause.message : String(cause);
      throw new MigrationRefusedError(
        `the statements of ${origin} can't be part of a squash: choose an older --to; nothing was written. On the scratch database: ${why}`,
        { cause },
      );
    }
  }
}

/**
 * Compares the rows of two databases, and returns the digests to compare with again. Where they differ, a third database shows which columns
 * differ each time the migrations run.
 */
async function compareContents(
  verification: Verification,
  former: MikroORM,
  squashed: MikroORM,
): Promise<{
  readonly contents: TableContents;
  readonly notCompared: readonly string[];
  readonly columns: ContentColumns;
}> {
  const { schema, ignored, content, migratorOf } = verification;
  const contents = await readContents(former, { schema, ignored });
  const found = await readContents(squashed, { schema, ignored });
  const tables = [...contents.keys()].filter((name) => contents.get(name) !== found.get(name));
  if (tables.length === 0) return { contents, notCompared: [], columns: new Map() };
  const columns = await withScratchDatabase(verification, async (again, guard) => {
    await migratorOf(again, (event) => guard.follow(event)).up({ to: content.replaces.at(-1) });
    return stableColumns([former, again], { schema, ignored, tables });
  });
  const compared = await readContents(former, { schema, ignored, columns });
  refuseDifferences(
    '',
    differingContents(compared, await readContents(squashed, { schema, ignored, columns })),
  );
  const notCompared = await unstableColumns(former, { schema, ignored, stable: columns });
  return { contents: compared, notCompared, columns };
}

function differingContents(expected: TableContents, found: TableContents): string[] {
  return [...expected.keys()]
    .filter((name) => expected.get(name) !== found.get(name))
    .map((name) => `${name}: the rows or values differ`);
}

function refuseDifferences(when: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  throw new MigrationRefusedError(
    `the squash differs from its migrations${when}; nothing was written. Choose an older --to, or let the migrations add every statement by addSql:\n` +
      lines.map((line) => `  ${line}`).join('\n'),
  );
}
