import type { Session } from '../session/session.ts';
import type { Harvest } from './harvest.ts';
import { isJoin, isOneToOne, Parents } from './parents.ts';
import type { Pools } from './pools.ts';
import { seededRandom } from './random.ts';
import { composeRow, insertStatement, trialRows, type RowValues } from './row.ts';
import { drawNumbers, tryStatements, type TrialOutcome } from './server-functions.ts';
import { rowSets, specsOf, type RowSet, type RowSpec } from './sets.ts';
import type { Table, TableCatalog } from './tables.ts';

/** What rows are made of. */
export interface Filling {
  readonly tables: TableCatalog;
  readonly pools: Pools;
  readonly harvest: Harvest;
  /** The tables that a migration touches, by their quoted names; the others get few rows. */
  readonly touched: ReadonlySet<string>;
  /** Rows that were accepted before, by the definition of their table. */
  readonly templates: Map<string, RowValues>;
}

/** What was inserted. */
export interface FillReport {
  readonly rows: number;
  /** Rows that the schema does not allow. */
  readonly refused: number;
  /** Tables without an accepted row: quoted as in SQL, without `public`. */
  readonly notCovered: readonly string[];
}

const rowsPerSet = 600;
// Links of rows in a tree begin here; those below are of conditions.
const firstLink = 1_000;

type InTree = Parameters<typeof composeRow>[1]['tree'];

/**
 * Inserts a set of generated rows into all tables, parents before children: the same rows for the same schema. The session has the functions of `createFunctions`. What the schema refuses is
 * left out. `from` is the number of the first row, so that a second filling of a database repeats no key.
 */
export async function fillTables(
  session: Session,
  filling: Filling,
  set: RowSet,
  from: number,
): Promise<FillReport> {
  const filler = new Filler(session, filling, await Parents.load(session, filling.tables), set, from);
  const report = await filler.fill();
  await drawNumbers(session);
  return report;
}

class Filler {
  readonly #session: Session;
  readonly #filling: Filling;
  readonly #parents: Parents;
  readonly #set: RowSet;
  #number: number;
  #rows = 0;
  #refused = 0;
  readonly #notCovered: string[] = [];

  constructor(session: Session, filling: Filling, parents: Parents, set: RowSet, from: number) {
    this.#session = session;
    this.#filling = filling;
    this.#parents = parents;
    this.#set = set;
    this.#number = from;
  }

  async fill(): Promise<FillReport> {
    const { tables } = this.#filling.tables;
    const specs = this.#specs();
    const needed = this.#needed(specs);
    for (const table of tables)
      await this.#fillTable(table, needed.get(table.name) ?? 3, specs.get(table.name) ?? []);
    return { rows: this.#rows, refused: this.#refused, notCovered: this.#notCovered };
  }

  #specs(): Map<string, readonly RowSpec[]> {
    const {
      tables: { tables },
      touched,
      pools,
      harvest,
    } = this.#filling;
    const count = tables.filter(({ name }) => touched.has(name)).length;
    const random = seededRandom(rowSets.indexOf(this.#set) + 1);
    const limit = Math.max(24, Math.floor(rowsPerSet / Math.max(count, 1)));
    return new Map(
      tables
        .filter(({ name }) => touched.has(name))
        .map((table) => [table.name, specsOf(this.#set, table, { pools, harvest, random, limit })]),
    );
  }

  /** Returns how many plain rows each table needs, so that each child that needs a parent for itself finds one. */
  #needed(specs: ReadonlyMap<string, readonly RowSpec[]>): Map<string, number> {
    const {
      tables: { tables },
      touched,
    } = this.#filling;
    const needed = new Map(
      tables.map((table): [string, number] => {
        return [table.name, touched.has(table.name) ? 6 : 3];
      }),
    );
    for (const table of tables.toReversed())
      for (const key of table.foreignKeys) {
        const rows = (needed.get(table.name) ?? 0) + (specs.get(table.name)?.length ?? 0);
        const parents = isOneToOne(table, key) ? rows * 1.5 + 1 : isJoin(table) ? Math.sqrt(rows * 1.5) : 0;
        const before = needed.get(key.target) ?? 0;
        if (key.target !== table.name)
          needed.set(key.target, Math.min(200, Math.max(before, Math.ceil(parents))));
      }
    return needed;
  }

  async #fillTable(table: Table, plain: number, specs: readonly RowSpec[]): Promise<void> {
    // Where the table is touched itself, its special rows refer to enough of them.
    const length = Math.max(plain, specs.length > 0 ? 0 : this.#followers(table)) - 1;
    const plainRows = Array.from({ length }, (): RowSpec => ({ values: new Map() }));
    const isTree = table.foreignKeys.some(({ target }) => target === table.name);
    const known = this.#filling.templates.get(JSON.stringify(table));
    // Fewer calls: most tables were filled before.
    if (known && !isTree) {
      const rows = [{ values: new Map() }, ...plainRows, ...specs];
      if ((await this.#insert(table, known, rows)) > 0) return;
    }
    const template = await this.#template(table);
    if (!template) {
      if (this.#parents.count(table.name) === 0) this.#notCovered.push(table.label);
      return;
    }
    if (isTree) return this.#fillTree(table, template, plainRows, specs);
    await this.#insert(table, template, [...plainRows, ...specs]);
  }

  /** Returns how many rows a table needs so that most rows of a touched one, which cascades to it, have a child. */
  #followers({ name, foreignKeys }: Table): number {
    const parents = foreignKeys
      .filter(({ target, cascades }) => cascades && target !== name && this.#filling.touched.has(target))
      .map(({ target }) => this.#parents.count(target));
    return Math.min(60, Math.ceil(Math.max(0, ...parents) * 1.4));
  }

  /** Inserts a chain of rows, rows that refer to themselves, and for each special row one that refers to it. */
  async #fillTree(
    table: Table,
    template: RowValues,
    plainRows: readonly RowSpec[],
    specs: readonly RowSpec[],
  ): Promise<void> {
    // The key of the row before is known once it is inserted.
    for (const spec of plainRows.slice(0, 5)) await this.#insert(table, template, [spec], 'last');
    const itself = { values: new Map() };
    await this.#insert(table, template, [itself, itself], 'itself');
    const linked = specs.slice(0, 60).map((spec, index) => ({ link: firstLink + index, ...spec }));
    await this.#insert(table, template, [...plainRows.slice(5), ...linked, ...specs.slice(60)]);
    const children = linked.map(({ link }): RowSpec => ({ values: new Map(), link }));
    await this.#insert(table, template, children);
  }

  /** Inserts the first row, and returns it; null when none is accepted. */
  async #template(table: Table): Promise<RowValues | null> {
    const { templates, pools } = this.#filling;
    const key = JSON.stringify(table);
    const known = templates.get(key);
    const trials = trialRows(table, pools, known);
    for (const trial of [trials.first, trials.checked, trials.random]) {
      const candidates = trial();
      const rows = candidates.flatMap((candidate) => {
        const row = this.#compose(table, candidate, { values: new Map() }, 'any');
        return row ? [{ candidate, row }] : [];
      });
      if (rows.length === 0) continue;
      this.#number++;
      const [outcome] = await this.#send(table, [rows.map(({ row }) => row)]);
      const accepted = outcome?.accepted === undefined ? undefined : rows[outcome.accepted]?.candidate;
      if (!outcome || accepted === undefined) continue;
      templates.set(key, accepted);
      this.#record(table, outcome, undefined);
      return accepted;
    }
    return null;
  }

  async #insert(
    table: Table,
    template: RowValues,
    specs: readonly RowSpec[],
    tree: InTree = 'any',
  ): Promise<number> {
    if (specs.length === 0) return 0;
    const before = this.#rows;
    const hasOther = dependsOnParent(table);
    const composed = specs.flatMap((spec) => {
      this.#number++;
      const row = this.#compose(table, template, spec, tree);
      if (!row) return [];
      // Another parent may allow what this one does not.
      const again = hasOther ? this.#compose(table, template, spec, tree, 1) : null;
      return [{ spec, rows: again ? [row, again] : [row] }];
    });
    const outcomes = await this.#send(
      table,
      composed.map(({ rows }) => rows),
    );
    for (const [index, outcome] of outcomes.entries())
      this.#record(table, outcome, composed[index]?.spec.link);
    return this.#rows - before;
  }

  #compose(table: Table, template: RowValues, spec: RowSpec, tree: InTree, offset = 0): RowValues | null {
    const { pools } = this.#filling;
    return composeRow(table, {
      template,
      spec,
      pools,
      parents: this.#parents,
      number: this.#number + offset,
      fresh: this.#number,
      tree,
    });
  }

  #send(table: Table, work: readonly (readonly RowValues[])[]): Promise<TrialOutcome[]> {
    const returning = this.#parents.returning(table.name);
    return tryStatements(
      this.#session,
      work.map((rows) => rows.map((row) => insertStatement(table, row, returning))),
      this.#filling.tables.tables.some(({ isDeferrable }) => isDeferrable),
    );
  }

  #record(table: Table, { accepted, returned }: TrialOutcome, link: number | undefined): void {
    if (accepted === undefined || !returned) {
      this.#refused++;
      return;
    }
    this.#rows++;
    this.#parents.add(table.name, returned, link);
  }
}

/** Whether a unique key has a column that refers to a parent, or holds for some rows only. */
function dependsOnParent({ keys, foreignKeys }: Table): boolean {
  const referring = new Set(foreignKeys.flatMap(({ columns }) => columns));
  return keys.some(
    ({ columns, isPartial, isExclusion }) =>
      isPartial || isExclusion || columns.some((column) => referring.has(column)),
  );
}
