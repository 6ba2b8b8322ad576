import { readFile } from 'node:fs/promises';
import { isNativeError } from 'node:util/types';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { Direction, LoadedMigration } from '../files/code-migration.ts';
import { changeRows } from '../rows/change-rows.ts';
import { fillTables, type Filling } from '../rows/fill.ts';
import type { Harvest } from '../rows/harvest.ts';
import { Pools } from '../rows/pools.ts';
import { createFunctions } from '../rows/server-functions.ts';
import type { RowSet } from '../rows/sets.ts';
import { readTables, type TableCatalog } from '../rows/tables.ts';
import { MigrationRefusedError } from '../session/errors.ts';
import { inTransaction } from '../session/session.ts';
import { compareRows, keyText, type RowDifference } from './compare-rows.ts';
import { describeDirectionFailure, isAboutRows, refusedObject } from './failure.ts';
import type { Findings } from './findings.ts';
import { readRows, type Rows } from './read-rows.ts';
import { runDirection, type DirectionFailure } from './run-direction.ts';
import { deleteRefused } from './refused-by-constraints.ts';
import { setRowsAside, type SetAside } from './set-aside.ts';
import { touchedTables } from './sources.ts';
import type { Sides, VerificationContext } from './context.ts';

interface SetOfRows {
  readonly copy: MikroORM;
  readonly findings: Findings;
  readonly sides: Sides;
  readonly set: RowSet;
}

// Numbers of rows that are written between `up` and `down` begin here.
const firstBetween = 5_000;
const maxFailures = 8;

/** Fills a copy with a set of rows, runs a migration up, down, up, then with more rows down and up, and compares the rows each time. */
export async function verifySet(
  context: VerificationContext,
  migration: LoadedMigration,
  { copy, findings, sides, set }: SetOfRows,
): Promise<void> {
  const run = new SetRun(context, migration, { copy, findings, sides, set });
  const { harvest } = sides;
  await run.fill(harvest, { tables: sides.before, other: sides.after, from: 1 });
  await run.addAuthorsRows();
  const up = await run.run('up');
  if (!up) return;
  if (!sides.isReversible) return run.compareDropped(up);
  const down = await run.run('down');
  if (down) {
    run.compare('up', up.before, down);
    if (!sides.isRepeatable) return;
    const again = await run.run('up');
    if (!again) return;
    run.compare('down', down.before, again);
  }
  await run.fill(harvest, { tables: sides.after, other: sides.before, from: firstBetween });
  const downAgain = await run.run('down');
  if (!downAgain) return;
  const last = await run.run('up');
  if (last) run.compare('down', downAgain.before, last);
}

/** A direction that was run: the rows before it, and those after it. */
interface Ran {
  readonly before: Rows;
  readonly after: Rows;
  /** Rows that were set aside before it succeeded. */
  readonly setAside: ReadonlyMap<string, ReadonlySet<string> | null>;
}

/** The state in which rows make a direction fail. */
interface Failing {
  readonly tables: TableCatalog;
  readonly before: Rows;
  /** Rows that were set aside, by the labels of their tables; null for those of a table without a key. */
  readonly setAside: Map<string, ReadonlySet<string> | null>;
}

class SetRun {
  readonly #context: VerificationContext;
  readonly #migration: LoadedMigration;
  readonly #copy: MikroORM;
  readonly #findings: Findings;
  readonly #sides: Sides;
  readonly #set: RowSet;

  constructor(
    context: VerificationContext,
    migration: LoadedMigration,
    { copy, findings, sides, set }: SetOfRows,
  ) {
    this.#context = context;
    this.#migration = migration;
    this.#copy = copy;
    this.#findings = findings;
    this.#sides = sides;
    this.#set = set;
  }

  /** Inserts the set's rows; those that are written between two migrations are changed, too. */
  async fill(
    harvest: Harvest,
    {
      tables,
      other,
      from,
    }: { readonly tables: TableCatalog; readonly other: TableCatalog; readonly from: number },
  ): Promise<void> {
    const { learned, templates } = this.#context;
    const touched = touchedTables(tables, harvest, this.#sides.changes);
    await inTransaction(this.#copy, async (session) => {
      await createFunctions(session);
      const pools =
        this.#sides.pools.get(tables) ?? (await Pools.learn(session, { tables, other, harvest, learned }));
      this.#sides.pools.set(tables, pools);
      const filling: Filling = { tables, pools, harvest, touched, templates };
      const { rows, notCovered } = await fillTables(session, filling, this.#set, from);
      if (from === firstBetween) await changeRows(session, filling);
      this.#findings.rows += rows;
      for (const table of notCovered) this.#findings.notCovered.add(table);
    });
  }

  /** Runs the rows that the author of the migration wrote: a file beside it. */
  async addAuthorsRows(): Promise<void> {
    const { path, name } = this.#migration;
    if (path === null) return;
    const file = path.replace(/\.[cm]?[jt]s$/, '.rows.sql');
    const sql = await readFile(file, 'utf8').catch((error: unknown) => {
      if (isNativeError(error) && 'code' in error && error.code === 'ENOENT') return '';
      throw error;
    });
    if (sql.trim() === '') return;
    await inTransaction(this.#copy, (session) => session.query(sql)).catch((cause: unknown) => {
      throw new MigrationRefusedError(
        `${file} fails before ${name}: ${describeDirectionFailure({ error: cause, sql: '' })}`,
        { cause },
      );
    });
  }

  /** Runs a direction; rows that make it fail are recorded and deleted. Returns null when it fails all the same. */
  async run(direction: Direction): Promise<Ran | null> {
    const setAside = new Map<string, ReadonlySet<string> | null>();
    // A statement that fails outside a transaction leaves the schema between two states.
    if (!this.#migration.transactional) {
      const tables = await this.#tables();
      const before = await this.#rows(tables);
      await this.#deleteRefused(direction, { tables, before, setAside });
    }
    for (let attempt = 0; attempt < maxFailures; attempt++) {
      const tables = await this.#tables();
      const before = await this.#rows(tables);
      const failure = await runDirection(this.#copy, this.#migration, direction);
      if (!failure) return { before, after: await this.#rows(await this.#tables()), setAside };
      if (!(await this.#setAside(direction, failure, { tables, before, setAside }))) return null;
    }
    this.#findings.addFailure(
      `${direction} fails for more kinds of rows than ${maxFailures}; the others are not verified`,
    );
    return null;
  }

  async #setAside(
    direction: Direction,
    failure: DirectionFailure,
    { tables, before, setAside }: Failing,
  ): Promise<boolean> {
    if (setAside.size === 0 && (await this.#deleteRefused(direction, { tables, before, setAside })))
      return true;
    const { before: old, after: latter } = this.#sides;
    const target = direction === 'up' ? latter : old;
    const removed = await setRowsAside({
      copy: this.#copy,
      migration: this.#migration,
      direction,
      tables,
      failure,
    });
    const isKnown = await this.#recordRefusals(direction, removed?.failures ?? [{ failure, rows: 0 }], {
      sides: [tables, target],
      table: removed?.table ?? null,
    });
    if (removed === null) {
      if (!isKnown)
        this.#findings.addFailure(
          `${direction} fails with rows (${this.#set}): ${describeDirectionFailure(failure)}`,
        );
      return false;
    }
    await this.#recordGone(before, tables, setAside);
    return true;
  }

  /** Deletes and records the rows that the constraints of the next schema refuse. Returns whether there were some. */
  async #deleteRefused(direction: Direction, { tables, before, setAside }: Failing): Promise<boolean> {
    const target = direction === 'up' ? this.#sides.after : this.#sides.before;
    const migration = this.#migration;
    const refused = await deleteRefused({ copy: this.#copy, migration, direction, tables, target });
    for (const effect of refused) this.#findings.addRefusal(direction, effect);
    if (refused.length > 0) await this.#recordGone(before, tables, setAside);
    return refused.length > 0;
  }

  /** Returns whether the object of each failure is known. */
  async #recordRefusals(
    direction: Direction,
    failures: SetAside['failures'],
    {
      sides,
      table: label,
    }: { readonly sides: readonly [TableCatalog, TableCatalog]; readonly table: string | null },
  ): Promise<boolean> {
    const table = sides[0].tables.find((one) => one.label === label);
    const culprit = table && {
      schema: table.schema,
      table: table.relation,
      columns: [],
      object: table.label,
    };
    let isKnown = true;
    for (const { failure, rows } of failures) {
      const object = (await refusedObject(failure, sides)) ?? culprit;
      if (object && (label !== null || isAboutRows(failure)))
        this.#findings.addRefusal(direction, { ...object, what: describeDirectionFailure(failure), rows });
      else isKnown = false;
    }
    return isKnown;
  }

  async #recordGone(
    before: Rows,
    tables: TableCatalog,
    setAside: Map<string, ReadonlySet<string> | null>,
  ): Promise<void> {
    for (const [label, keys] of goneBetween(before, await this.#rows(tables))) {
      const known = setAside.get(label);
      setAside.set(label, known === null || keys === null ? null : new Set([...(known ?? []), ...keys]));
    }
  }

  compare(direction: Direction, before: Rows, { after, setAside }: Ran): void {
    for (const one of compareRows(before, after, setAside)) this.#findings.addLoss(direction, one);
  }

  /** Records what `up` alone drops, where there is no `down` that could restore it. */
  compareDropped({ before, after }: Ran): void {
    const isGone = ({ table, schema, column }: RowDifference): boolean => {
      const found = this.#sides.after.tables.find((one) => one.relation === table && one.schema === schema);
      return !found || (column !== null && !found.columns.some(({ name }) => name === column));
    };
    for (const one of compareRows(before, after).filter(isGone)) this.#findings.addLoss('up', one);
  }

  #tables(): Promise<TableCatalog> {
    return inTransaction(this.#copy, (session) =>
      readTables(session, this.#context.schema, this.#context.log),
    );
  }

  #rows(tables: TableCatalog): Promise<Rows> {
    return inTransaction(this.#copy, (session) => readRows(session, tables));
  }
}

/** Returns the keys of the rows that are gone, by table; null for a table without a key. */
function goneBetween(before: Rows, after: Rows): [string, ReadonlySet<string> | null][] {
  return [...before.tables.values()].flatMap((table): [string, ReadonlySet<string> | null][] => {
    const now = after.tables.get(table.label);
    if (!now || now.rows.length === table.rows.length) return [];
    const { key } = table;
    if (!key) return [[table.label, null]];
    const kept = new Set(now.rows.map((row) => keyText(now, key, row)));
    return [
      [
        table.label,
        new Set(table.rows.map((row) => keyText(table, key, row)).filter((text) => !kept.has(text))),
      ],
    ];
  });
}
