import type { MikroORM } from '@mikro-orm/postgresql';
import { fillToSize } from '../measure/fill-to-size.ts';
import { measureRun, type MeasuredRun } from '../measure/measure-run.ts';
import type { MeasuredStatement } from '../measure/measurement.ts';
import type { ColumnShape } from '../rows/shaped-value.ts';
import type { Column, Table } from '../rows/tables.ts';
import { poolSession } from '../session/session.ts';
import { Workspace } from '../verify/workspace.ts';
import type { MeasuredSides } from '../verify/measure-migration.ts';
import type { VerificationContext } from '../verify/context.ts';
import type { ForecastTable } from './forecast.ts';
import type { MigrationToForecast } from './migration-to-forecast.ts';
import type { TableStatistics } from './table-statistics.ts';

// Rows of the first sample, whose time is mostly what does not depend on rows.
const fewRows = 2_000;
// Rows of the others: far above what varies by chance, and filled within seconds.
const manyRows = 1_000_000;
const manyBytes = 512 * 1024 * 1024;
// In milliseconds: samples are taken until their statements took so long, because what is short varies more, and at most three.
const enoughTime = 5_000;
const mostSamples = 3;

/** What was measured on one size of the tables. */
export interface Sample {
  /** The share of the real rows. */
  readonly share: number;
  readonly statements: readonly MeasuredStatement[];
  /** What the server sent while each statement ran, by its number. */
  readonly messages: MeasuredRun['messages'];
  /** Whether the tables were in the server's memory. */
  readonly isInMemory: boolean;
}

/** A table with rows on the connected database. */
interface SampledTable {
  readonly table: Table;
  readonly statistics: TableStatistics;
  rows: number;
  /** Bytes of a row, of those generated and of the real ones. */
  generatedBytes: number;
}

/** Runs a step on scratch databases with shares of the real rows. */
export class Sampler {
  readonly #context: VerificationContext;
  readonly #step: MigrationToForecast;
  readonly #sides: MeasuredSides;
  readonly #tables: readonly SampledTable[];
  readonly #isShaped: boolean;

  /** @param isShaped whether values have the shapes of the statistics; else they repeat, which fewer constraints refuse. */
  constructor(
    context: VerificationContext,
    step: MigrationToForecast,
    {
      sides,
      known,
      isShaped,
    }: {
      readonly sides: MeasuredSides;
      /** The statistics of tables, by their names on the scratch database. */
      readonly known: ReadonlyMap<string, TableStatistics>;
      readonly isShaped: boolean;
    },
  ) {
    this.#context = context;
    this.#step = step;
    this.#sides = sides;
    this.#isShaped = isShaped;
    this.#tables = sides.before.tables.flatMap((table) => {
      const statistics = sides.touched.has(table.name) ? known.get(table.name) : undefined;
      if (!statistics || statistics.bytes === 0) return [];
      return [{ table, statistics, rows: statistics.rows ?? 0, generatedBytes: 0 }];
    });
  }

  /** Returns samples: on few rows, and on as many as are filled within seconds; on all rows where these are few. */
  async samples(): Promise<{ readonly few: Sample; readonly many: readonly Sample[] }> {
    const { workspace } = this.#context;
    const few = await this.#few();
    for (const one of this.#tables)
      if (one.statistics.rows === null)
        one.rows = Math.round(one.statistics.bytes / Math.max(one.generatedBytes, 1));
    const rows = Math.max(0, ...this.#tables.map((one) => one.rows));
    if (rows === 0) return { few: { ...few, share: 1 }, many: [] };
    const bytes = this.#tables.reduce((sum, one) => sum + one.statistics.bytes, 0);
    const share = Math.min(1, manyRows / rows, manyBytes / bytes);
    const total = this.#tables.reduce((sum, one) => sum + one.rows, 0);
    const fewTotal = this.#tables.reduce((sum, one) => sum + Math.min(fewRows, one.rows), 0);
    try {
      const filled = await workspace.open();
      await this.#fill(filled, (one) => Math.max(Math.min(one.rows, 3), Math.round(one.rows * share)));
      const copies = await Workspace.of(this.#step.server, filled);
      const fits = bytes < (await sharedBuffers(filled));
      const many: Omit<Sample, 'share'>[] = [];
      for (let time = 0; many.length < mostSamples && time < enoughTime;) {
        const sample = await this.#runOnCopy(copies, fits || many.length % 2 === 1);
        time += sample.statements.reduce((sum, one) => sum + one.durationMs, 0);
        many.push(sample);
      }
      return {
        few: { ...few, share: Math.min(fewTotal / total, share) },
        many: many.map((one) => ({ ...one, share })),
      };
    } finally {
      await workspace.discard();
    }
  }

  /** The tables, after samples were taken. `share` is that of the largest sample. */
  tables(share: number): ForecastTable[] {
    return this.#tables.map(({ table, statistics, rows }) => ({
      table: table.label,
      rows,
      bytes: statistics.bytes,
      hasStatistics: statistics.rows !== null && statistics.columns.size > 0,
      measuredRows: Math.round(rows * share),
    }));
  }

  async #few(): Promise<Omit<Sample, 'share'>> {
    const { workspace } = this.#context;
    try {
      const copy = await workspace.open();
      await this.#fill(copy, (one) => Math.min(fewRows, one.statistics.rows ?? fewRows));
      for (const one of this.#tables) one.generatedBytes = await bytesPerRow(copy, one.table);
      return await this.#run(copy, true);
    } finally {
      await workspace.discard();
    }
  }

  /**
   * Runs the step on a copy of a filled database, with all of its tables in the server's memory or nothing. Which part of a table is there
   * that does not fit can't be known: it is measured both ways.
   */
  async #runOnCopy(copies: Workspace, isInMemory: boolean): Promise<Omit<Sample, 'share'>> {
    const copy = await copies.open();
    try {
      for (const { table } of isInMemory ? this.#tables : [])
        // Unlike a scan of the whole table, a range of places keeps what it reads in the server's memory.
        await poolSession(copy).query(
          `set max_parallel_workers_per_gather = 0; select count(*) from ${table.name} where ctid >= '(0,0)'; reset max_parallel_workers_per_gather`,
        );
      return await this.#run(copy, isInMemory);
    } finally {
      await copies.discard();
    }
  }

  async #run(copy: MikroORM, isInMemory: boolean): Promise<Omit<Sample, 'share'>> {
    const { migrated, migration, direction } = this.#step;
    const { statements, messages, error } = await measureRun({
      migrated,
      copy,
      migration,
      direction,
      probed: [],
      countsRows: isInMemory,
    });
    if (error !== null) throw error;
    return { statements, messages, isInMemory };
  }

  async #fill(copy: MikroORM, rowsOf: (table: SampledTable) => number): Promise<void> {
    const { learned } = this.#context;
    const { before, after, harvest } = this.#sides;
    const byName = new Map(this.#tables.map((one) => [one.table.name, one]));
    const sampled = ({ name }: Table): SampledTable => {
      const found = byName.get(name);
      if (!found) throw new Error(`${name} is not sampled`);
      return found;
    };
    await fillToSize(copy, {
      tables: before,
      other: after,
      harvest,
      learned,
      // Rows that were accepted before another migration may be refused by this one.
      templates: new Map(),
      sizes: {
        touched: new Set(byName.keys()),
        rowsOf: (table) => rowsOf(sampled(table)),
        shapeOf: (table, column) => (this.#isShaped ? shapeOf(sampled(table), column) : null),
        fillFactorOf: (table) => fillFactorOf(sampled(table)),
        skipsReferences: true,
      },
    });
    // Its messages show what a statement does. The setting is for later connections.
    const session = poolSession(copy);
    await session.query(`alter database "${copy.config.get('dbName')}" set client_min_messages = debug1`);
  }
}

// A column without statistics has values as different as its type allows.
const unknownShape: ColumnShape = { nullFraction: 0, distinct: -1, width: null, isOrdered: false };

function shapeOf({ statistics }: SampledTable, { name }: Column): ColumnShape {
  return statistics.columns.get(name) ?? unknownShape;
}

/** Returns how full pages are to be, so that they have as few rows as the real ones, which deleted rows and columns leave; null for full. */
function fillFactorOf({ statistics, rows, generatedBytes }: SampledTable): number | null {
  if (generatedBytes === 0 || rows === 0 || statistics.rows === null) return null;
  const factor = Math.round((100 * generatedBytes) / (statistics.bytes / rows));
  return factor >= 95 ? null : Math.max(factor, 10);
}

async function bytesPerRow(copy: MikroORM, { name }: Table): Promise<number> {
  const [row] = await poolSession(copy).query<{ bytes: number }>(
    `select (select sum(pg_relation_size(oid)) from pg_class
         where oid = $1::regclass or oid in (select relid from pg_partition_tree($1::regclass)))::float8 / greatest(count(*), 1) as bytes
     from ${name}`,
    [name],
  );
  return row?.bytes ?? 0;
}

async function sharedBuffers(copy: MikroORM): Promise<number> {
  const [row] = await poolSession(copy).query<{ bytes: number }>(
    `select setting::float8 * current_setting('block_size')::float8 as bytes from pg_settings where name = 'shared_buffers'`,
  );
  return row?.bytes ?? 0;
}
