import { setTimeout } from 'node:timers/promises';
import {
  ConcurrentUseError,
  ContentionError,
  DataError,
  UnitOfWorkEndedError,
  type Database,
  type UnitOfWork,
} from '../../../src/index.ts';
import { Effects } from './effects.ts';
import type { Branch, Program } from './program.ts';
import { doStep } from './steps.ts';
import type { StoredRows } from './stored-rows.ts';

/** What a program throws. */
export class PlannedError extends Error {
  override readonly name: string = 'PlannedError';
}

/** The reason of its signal. */
class AbortedError extends PlannedError {
  override readonly name = 'AbortedError';
}

/** The state of a program during and after its run. */
export class Run {
  readonly rows: StoredRows;
  readonly effects = new Effects();
  /** Also of inner units that are rolled back. */
  readonly attempted = new Effects();
  /** Errors of steps that no step may throw. */
  readonly unexpected: unknown[] = [];
  /** The units with a stream that was left open. */
  readonly leftOpen = new Set<UnitOfWork>();
  rootUnit: UnitOfWork | undefined;
  /** The calls that had not settled when `work` had, and those of them that still ran when the end of the unit checked them. */
  pendingAtEnd: readonly string[] = [];
  runningAtEnd: readonly string[] = [];
  isOver = false;
  isAborted = false;
  #marks = 0;
  #counts = 0;
  readonly #taken = new Set<string>();
  readonly #pending = new Map<object, string>();

  constructor(rows: StoredRows) {
    this.rows = rows;
  }

  newEffects(): Effects {
    return new Effects();
  }

  /** A text that no other step of any program writes. */
  nextMark(): string {
    return `${this.rows.mark}${this.#marks++}.`;
  }

  nextCount(): number {
    return this.#counts++;
  }

  /** Reserves a cell for a step; false when another one has it. */
  take(cell: string): boolean {
    if (this.#taken.has(cell)) return false;
    this.#taken.add(cell);
    return true;
  }

  /** Tracks a call until it has settled. */
  async pending<T>(name: string, call: Promise<T>): Promise<T> {
    const key = {};
    this.#pending.set(key, name);
    try {
      return await call;
    } finally {
      this.#pending.delete(key);
    }
  }

  /** Records that `work` has settled. */
  end(): void {
    this.isOver = true;
    this.pendingAtEnd = [...this.#pending.values()];
    // After the continuations of what has settled by now, before the next answer of the server.
    process.nextTick(() => (this.runningAtEnd = [...this.#pending.values()]));
  }

  /** Records the unhandled error of a step. */
  see(error: unknown): void {
    const isKnown =
      error instanceof PlannedError ||
      error instanceof ConcurrentUseError ||
      error instanceof UnitOfWorkEndedError ||
      (error instanceof ContentionError && this.attempted.canContend);
    // A step that an abort interrupts fails with an error of the connection.
    if (!isKnown && !(this.isAborted && error instanceof DataError)) this.unexpected.push(error);
  }
}

/** The outcome of a program. */
export interface Outcome {
  /** What `transact` threw; null when it committed. */
  readonly error: { readonly thrown: unknown } | null;
  /** What `work` threw; null when it returned. */
  readonly failure: { readonly thrown: unknown } | null;
  /** What the signal gave as reason; null when it had not aborted. */
  readonly reason: PlannedError | null;
}

/** Runs a program, and waits until all that it started has settled. */
export async function runProgram(database: Database, program: Program, run: Run): Promise<Outcome> {
  const controller = new AbortController();
  const reason = new AbortedError('aborted');
  const abort = (): void => {
    run.isAborted = true;
    controller.abort(reason);
  };
  const timer = program.abortsAfter === null ? null : globalThis.setTimeout(abort, program.abortsAfter);
  let failure: Outcome['failure'] = null;
  const work = async (uow: UnitOfWork): Promise<void> => {
    run.rootUnit = uow;
    try {
      await Promise.all(program.branches.map((branch) => runBranch(run, uow, branch)));
    } catch (thrown) {
      failure = { thrown };
      throw thrown;
    } finally {
      run.end();
    }
  };
  const ended = inTime(database.transact(work, { signal: controller.signal })).then(
    () => null,
    (thrown: unknown) => ({ thrown }),
  );
  const error = await ended;
  if (timer) clearTimeout(timer);
  const isAborted = controller.signal.aborted;
  // Steps that begin after the end are refused.
  await setTimeout(8);
  return { error, failure, reason: isAborted ? reason : null };
}

async function runBranch(run: Run, uow: UnitOfWork, { steps, throws }: Branch): Promise<void> {
  for (const { step, mode } of steps) {
    const doing = doStep(run, uow, step, run.effects);
    if (mode === 'awaited') await doing;
    else if (mode === 'caught') await doing.catch((error: unknown) => run.see(error));
    else doing.catch((error: unknown) => run.see(error));
  }
  if (throws) throw new PlannedError('branch');
}

/** Waits for a unit of work, and throws when it does not end. */
async function inTime<T>(running: Promise<T>): Promise<T> {
  const ends = new AbortController();
  const late = setTimeout(20_000, undefined, { signal: ends.signal }).then(() => {
    throw new Error('the unit of work does not end');
  });
  late.catch(() => {});
  try {
    return await Promise.race([running, late]);
  } finally {
    ends.abort();
  }
}
