import { setTimeout } from 'node:timers/promises';
import { Experiment } from '../../../src/entities.ts';
import type { Tables } from '../../../src/entities/tables.ts';
import { ConcurrentUseError, type UnitOfWork } from '../../../src/index.ts';
import { loadRows } from '../../../src/loading/index.ts';
import { anExperiment } from '../../../src/testing/index.ts';
import type { Effects } from './effects.ts';
import { PlannedError, type Run } from './run-program.ts';
import type { Field, Step, StreamKind } from './program.ts';

type Of<Kind extends Step['do']> = Extract<Step, { do: Kind }>;

/** Carries out a step. What it is acknowledged to have written is in `effects` when it returns. */
export async function doStep(run: Run, uow: UnitOfWork, step: Step, effects: Effects): Promise<void> {
  switch (step.do) {
    case 'wait':
      await setTimeout(step.ms);
      return;
    case 'stream':
    case 'leave-stream':
      return readStream(run, uow, step);
    case 'inner':
      return runInner(run, uow, step, effects);
    case 'update':
    case 'assign':
    case 'statement':
    case 'kysely':
      return writeField(run, uow, step, effects);
    case 'read':
    case 'list':
    case 'card':
    case 'remove':
    case 'fill':
      return useRow(run, uow, step, effects);
    case 'query':
      await run.pending(step.do, uow.experiments.scrollSummaries({}));
      return;
    case 'flush':
      return run.pending(step.do, uow.flush());
    case 'count':
    case 'deepen':
    case 'rate':
    case 'add':
    case 'append':
    case 'save-all':
      return write(run, uow, step.do, effects);
  }
}

/** Steps that read or write a whole row. */
async function useRow(
  run: Run,
  uow: UnitOfWork,
  { do: what, row }: Of<'read' | 'list' | 'card' | 'remove' | 'fill'>,
  effects: Effects,
): Promise<void> {
  const id = run.rows.experiments[row] ?? '';
  if (what === 'read') {
    await run.pending(what, uow.experiments.get(id));
  } else if (what === 'list') {
    await run.pending(what, uow.em.find(Experiment, { id: { $in: [...run.rows.experiments] } }));
  } else if (what === 'card') {
    if (!run.take(`${row}.card`)) return;
    await run.pending(what, uow.experiments.saveScorecard(id, null));
    effects.write(`${row}.card`, false);
  } else if (what === 'fill') {
    const cell = `${row}.description`;
    if (!run.take(cell)) return;
    const description = run.nextMark();
    run.attempted.bypass(row);
    const rows = [{ id, description }];
    await load(run, uow, { mode: 'fill_null', rows }, () => {
      effects.mayWrite(cell, description);
      effects.bypass(row);
    });
    effects.write(cell, description);
  } else {
    if (!run.take(`removable ${row}`)) return;
    const entity = await run.pending(what, uow.experiments.get(run.rows.removable[row] ?? ''));
    uow.experiments.remove(entity);
    effects.write(`removable ${row}`, undefined);
  }
}

/** Steps that write a column of a row. */
async function writeField(
  run: Run,
  uow: UnitOfWork,
  { do: how, row, field }: Of<'update' | 'assign' | 'statement' | 'kysely'>,
  effects: Effects,
): Promise<void> {
  const id = run.rows.experiments[row] ?? '';
  const cell = `${row}.${field}`;
  const mark = run.nextMark();
  if (how === 'assign') {
    const entity = await run.pending(how, uow.experiments.get(id));
    await setTimeout(row);
    // What is assigned after the end belongs to nothing.
    if (run.isOver || !run.take(cell)) return;
    entity[field] = mark;
    run.attempted.edit(row);
    effects.edit(row);
  } else if (how === 'update') {
    if (!run.take(cell)) return;
    run.attempted.edit(row);
    await run.pending(how, uow.experiments.update(id, { [field]: mark }));
    effects.edit(row);
  } else {
    if (!run.take(cell)) return;
    run.attempted.bypass(row);
    await run.pending(how, writePast(uow, how, { id, field, mark }));
    effects.bypass(row);
  }
  effects.write(cell, mark);
}

async function writePast(
  { em }: UnitOfWork,
  how: 'statement' | 'kysely',
  { id, field, mark }: { readonly id: string; readonly field: Field; readonly mark: string },
): Promise<void> {
  if (how === 'statement') await em.execute(`update experiments set ${field} = ? where id = ?`, [mark, id]);
  else
    await em
      .getKysely<Tables>()
      .updateTable('experiments')
      .set({ [field]: mark })
      .where('id', '=', id)
      .execute();
}

/** Steps that write something of the unit's, not of one of the rows. */
async function write(
  run: Run,
  uow: UnitOfWork,
  what: 'count' | 'deepen' | 'rate' | 'add' | 'append' | 'save-all',
  effects: Effects,
): Promise<void> {
  const { exploration, analysis } = run.rows;
  const mark = run.nextMark();
  if (what === 'count') {
    const place = run.nextCount();
    await run.pending(what, uow.explorations.recordLlmCalls(exploration, 2 ** place));
    effects.write(`calls ${place}`, true);
  } else if (what === 'deepen') {
    if (!run.take('depth')) return;
    const entity = await run.pending(what, uow.explorations.get(exploration));
    if (run.isOver) return;
    entity.currentDepth = 7;
    effects.write('depth', 7);
  } else if (what === 'rate') {
    if (!run.take('rate')) return;
    await run.pending(what, uow.explorations.recordProgress(exploration, { successRate: 0.25 }));
    effects.write('rate', 0.25);
  } else if (what === 'add') {
    anExperiment(uow.em, { name: mark });
    effects.write(`added ${mark}`, true);
  } else if (what === 'append') {
    const cells = [`${mark}a`, `${mark}b`].map((name) => `added ${name}`);
    const rows = [`${mark}a`, `${mark}b`].map((name) => ({ name, hypothesis: name }));
    await load(run, uow, { mode: 'append', rows }, () => {
      for (const cell of cells) effects.mayWrite(cell, true);
    });
    for (const cell of cells) effects.write(cell, true);
  } else {
    const rates = { didNotTryRate: 0.25, failedRate: 0.25, successRate: 0.5, synthAttributes: null };
    await run.pending(what, uow.synthOutcomes.saveAll(analysis, [{ synthId: mark, ...rates }]));
    effects.write(`outcome ${mark}`, true);
  }
}

/** `loadRows` refreshes what is loaded after its savepoint: a refusal of that leaves the rows loaded. */
async function load(
  run: Run,
  uow: UnitOfWork,
  {
    mode,
    rows,
  }: { mode: 'append' | 'fill_null'; rows: { id?: string; name?: string; description?: string }[] },
  mayBeLoaded: () => void,
): Promise<void> {
  try {
    await run.pending(mode, loadRows(uow, { entity: Experiment, mode, rows }));
  } catch (error) {
    if (error instanceof ConcurrentUseError) mayBeLoaded();
    throw error;
  }
  mayBeLoaded();
}

function streamOf(uow: UnitOfWork, kind: StreamKind): AsyncIterableIterator<unknown> {
  if (kind === 'em') return uow.em.stream(Experiment);
  return uow.em.getKysely<Tables>().selectFrom('experiments').selectAll().stream(50);
}

async function readStream(run: Run, uow: UnitOfWork, step: Of<'stream' | 'leave-stream'>): Promise<void> {
  const stream = streamOf(uow, step.kind);
  if (step.do === 'leave-stream') {
    await run.pending('stream', stream.next());
    run.leftOpen.add(uow);
    return;
  }
  const read = async (): Promise<void> => {
    let left = step.rows;
    for await (const _ of stream) if (left-- <= 0) break;
  };
  await run.pending('stream', read());
}

async function runInner(run: Run, uow: UnitOfWork, step: Of<'inner'>, effects: Effects): Promise<void> {
  const own = run.newEffects();
  const inner = uow.transact(async (within) => {
    for (const one of step.steps)
      await doStep(run, within, one, own).catch((error: unknown) => run.see(error));
    if (step.fails) throw new PlannedError('inner');
  });
  // Rolled back, or refused before it began: nothing of it is written.
  await run.pending('inner', inner);
  effects.add(own);
}
