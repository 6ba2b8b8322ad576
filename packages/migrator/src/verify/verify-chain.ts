import type { MikroORM } from '@mikro-orm/postgresql';
import { readCatalog, type Catalog } from '../catalog/catalog.ts';
import { differences } from '../catalog/differences.ts';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { fillTables } from '../rows/fill.ts';
import { Pools } from '../rows/pools.ts';
import { rowSets } from '../rows/sets.ts';
import { createFunctions } from '../rows/server-functions.ts';
import { readTables } from '../rows/tables.ts';
import { inTransaction } from '../session/session.ts';
import type { Certificate } from './certificate.ts';
import type { VerificationContext } from './context.ts';
import { describeDirectionFailure, isAboutRows } from './failure.ts';
import { Findings } from './findings.ts';
import { runDirection } from './run-direction.ts';
import { harvestOf } from './sources.ts';

/** The name of the certificate of all migrations together. */
export const chainName = 'the whole chain';

/**
 * Runs migrations that can all be reverted up, then with generated rows down to the first, and up again, on a database in the state before the
 * first. Compares the schemas. What each direction does to rows is in the certificates of the migrations, one by one.
 */
export async function verifyChain(
  context: Omit<VerificationContext, 'workspace'>,
  orm: MikroORM,
  migrations: readonly LoadedMigration[],
): Promise<Findings> {
  const run = new ChainRun(context, orm, migrations);
  await run.verify();
  return run.findings;
}

/** Returns the certificate of a chain, whose losses are those of its migrations. */
export function certifyChain(
  findings: Findings,
  own: readonly Certificate[],
  durationMs: number,
): Certificate {
  const {
    differences: differing,
    failures,
    notCovered,
    leftOut,
    rows,
  } = findings.observations({
    leftOut: [],
    durationMs,
    checksum: null,
  });
  const isLossy = own.some(({ certificate }) => certificate === 'lossy as declared');
  return {
    migration: chainName,
    certificate:
      differing.length + failures.length > 0 ? 'failed' : isLossy ? 'lossy as declared' : 'lossless',
    loses: [],
    losesDown: [],
    refusesUp: [],
    refusesDown: [],
    differences: differing,
    failures,
    notSeen: [],
    notCovered,
    leftOut,
    rows,
    durationMs,
    checksum: null,
    traffic: null,
  };
}

// More than a set has rows, so that no key is repeated.
const rowsApart = 5_000;

class ChainRun {
  readonly findings = new Findings();
  readonly #context: Omit<VerificationContext, 'workspace'>;
  readonly #orm: MikroORM;
  readonly #migrations: readonly LoadedMigration[];

  constructor(
    context: Omit<VerificationContext, 'workspace'>,
    orm: MikroORM,
    migrations: readonly LoadedMigration[],
  ) {
    this.#context = context;
    this.#orm = orm;
    this.#migrations = migrations;
  }

  async verify(): Promise<void> {
    const before = await this.#catalog();
    if (!(await this.#run('up'))) return;
    const after = await this.#catalog();
    await this.#fill();
    if (!(await this.#run('down'))) return;
    this.#compare('down', before, await this.#catalog());
    if (await this.#run('up')) this.#compare('up', after, await this.#catalog());
  }

  async #run(direction: Direction): Promise<boolean> {
    const ordered = direction === 'up' ? this.#migrations : this.#migrations.toReversed();
    for (const [index, migration] of ordered.entries()) {
      this.#context.report(`${direction}, ${index + 1} of ${ordered.length}`);
      let failure = await runDirection(this.#orm, migration, direction);
      // The migration's certificate says which rows are refused.
      if (failure && isAboutRows(failure)) {
        await this.#empty();
        failure = await runDirection(this.#orm, migration, direction);
      }
      if (!failure) continue;
      this.findings.addFailure(
        `${direction} of ${migration.name} fails in the chain: ${describeDirectionFailure(failure)}`,
      );
      return false;
    }
    return true;
  }

  async #fill(): Promise<void> {
    const { learned, templates, schema, log, report } = this.#context;
    report('rows');
    await inTransaction(this.#orm, async (session) => {
      const tables = await readTables(session, schema, log);
      const harvest = await harvestOf(this.#migrations, [tables]);
      await createFunctions(session);
      const pools = await Pools.learn(session, { tables, other: tables, harvest, learned });
      const touched = new Set(tables.tables.map(({ name }) => name));
      const filling = { tables, pools, harvest, touched, templates };
      const reports = [];
      for (const [index, set] of rowSets.entries())
        reports.push(await fillTables(session, filling, set, 1 + index * rowsApart));
      for (const { rows } of reports) this.findings.rows += rows;
      const [first, ...others] = reports.map(({ notCovered }) => notCovered);
      for (const table of first ?? [])
        if (others.every((tablesOfSet) => tablesOfSet.includes(table))) this.findings.notCovered.add(table);
    });
  }

  async #empty(): Promise<void> {
    const { schema, log } = this.#context;
    await inTransaction(this.#orm, async (session) => {
      const { tables } = await readTables(session, schema, log);
      if (tables.length > 0)
        await session.query(`truncate ${tables.map(({ name }) => name).join(', ')} cascade`);
    });
  }

  async #catalog(): Promise<Catalog> {
    const { schema, ignored } = this.#context;
    return ignored.without(await readCatalog(this.#orm, schema));
  }

  #compare(after: Direction, expected: Catalog, found: Catalog): void {
    for (const difference of differences(expected, found))
      this.findings.differences.push({ after, difference });
  }
}
