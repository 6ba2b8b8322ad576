import type { Database } from '../../../src/index.ts';
import { anExperiment, anExploration } from '../../../src/testing/index.ts';
import { fields, rowCount } from './program.ts';

/** The rows that a program works on. */
export interface StoredRows {
  /** The prefix of the names of rows that the program adds, and of all values that it writes. */
  readonly mark: string;
  readonly experiments: readonly string[];
  readonly removable: readonly string[];
  readonly exploration: string;
  readonly analysis: string;
}

/**
 * The stored values by cell: a column of a previous row (`0.name`), a previous row (`removable 0`), or a row that a program adds (`added
 * <name>`, `outcome <synth>`). A missing cell is undefined.
 */
export type Cells = ReadonlyMap<string, unknown>;

let made = 0;

/** Stores the rows that a program works on. */
export async function storeRows(database: Database): Promise<StoredRows> {
  made += 1;
  const mark = `program ${made}:`;
  return database.transact(async ({ em }) => {
    const rows = Array.from({ length: rowCount });
    const experiments = rows.map(() => anExperiment(em, { name: 'original', hypothesis: 'original' }));
    const removable = rows.map(() => anExperiment(em));
    const exploration = anExploration(em);
    await em.flush();
    const ids = experiments.map(({ id }) => id);
    await em.execute(`update experiments set scorecard_data = '{"is": "original"}' where id in (?)`, [ids]);
    return {
      mark,
      experiments: ids,
      removable: removable.map(({ id }) => id),
      exploration: exploration.id,
      analysis: exploration.baselineAnalysis.id,
    };
  });
}

/** Reads all cells that a program can write. */
export async function cellsOf(database: Database, stored: StoredRows): Promise<Cells> {
  const em = database.orm.em.fork();
  const cells = new Map<string, unknown>();
  const rows = await em.execute<Record<string, unknown>[]>(
    'select id, name, hypothesis, description, scorecard_data is not null as card from experiments where id in (?) or name like ?',
    [[...stored.experiments, ...stored.removable], `${stored.mark}%`],
  );
  for (const { id, ...values } of rows) {
    const [at, removable] = [stored.experiments.indexOf(String(id)), stored.removable.indexOf(String(id))];
    if (removable >= 0) cells.set(`removable ${removable}`, true);
    else if (at < 0) cells.set(`added ${String(values['name'])}`, true);
    else for (const name of [...fields, 'description', 'card']) cells.set(`${at}.${name}`, values[name]);
  }
  const [exploration = {}] = await em.execute<Record<string, unknown>[]>(
    'select total_llm_calls, current_depth, best_success_rate from explorations where id = ?',
    [stored.exploration],
  );
  cells.set('depth', exploration['current_depth']);
  cells.set('rate', exploration['best_success_rate']);
  // Each counting step adds a different power of two.
  const calls = Number(exploration['total_llm_calls']);
  for (let place = 0; 2 ** place <= calls; place++)
    if (Math.trunc(calls / 2 ** place) % 2 === 1) cells.set(`calls ${place}`, true);
  const outcomes = await em.execute<{ synth_id: string }[]>(
    'select synth_id from synth_outcomes where analysis_id = ?',
    [stored.analysis],
  );
  for (const { synth_id } of outcomes) cells.set(`outcome ${synth_id}`, true);
  return cells;
}

/** Deletes the rows of a program, so that later programs don't read more and more rows. */
export async function deleteRows(database: Database, stored: StoredRows): Promise<void> {
  await database.orm.em
    .fork()
    .execute(
      'delete from experiments where id in (?) or name like ? or id = (select experiment_id from explorations where id = ?)',
      [[...stored.experiments, ...stored.removable], `${stored.mark}%`, stored.exploration],
    );
}
