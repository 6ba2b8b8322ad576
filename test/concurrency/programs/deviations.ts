import {
  CommitUnknownError,
  ConcurrentUseError,
  ContentionError,
  UnfinishedWorkError,
} from '../../../src/index.ts';
import { Effects } from './effects.ts';
import type { Program, Step } from './program.ts';
import { PlannedError, type Outcome, type Run } from './run-program.ts';
import type { Cells } from './stored-rows.ts';

/** A program that has ended. */
export interface Ended {
  readonly program: Program;
  readonly run: Run;
  readonly outcome: Outcome;
  readonly before: Cells;
  readonly after: Cells;
}

/** Returns the violations of the guarantees of a unit of work by a program. */
export function deviationsOf(ended: Ended): string[] {
  const { run, outcome, before, after } = ended;
  const nothing = new Effects().misses(before, after);
  const all = run.effects.misses(before, after);
  const steps = run.unexpected.map((error) => `a step threw ${String(error)}`);
  const { error } = outcome;
  if (error === null) return [...steps, ...unrefused(run), ...all];
  const wrong = whyUnexpected(ended, error.thrown);
  if (error.thrown instanceof CommitUnknownError)
    return [...steps, ...wrong, ...(nothing.length > 0 ? all : [])];
  return [...steps, ...wrong, ...nothing];
}

/** Returns the calls that were running when `work` returned, although the unit of work was committed. */
function unrefused(run: Run): string[] {
  const open = leftStream(run) ? ['an open stream'] : [];
  return [...run.runningAtEnd, ...open].map((name) => `committed while ${name} ran`);
}

/** Returns whether a call was running when `work` returned, which the end has to refuse. */
const leftWork = (run: Run): boolean => run.pendingAtEnd.length > 0 || leftStream(run);

const leftStream = ({ rootUnit, leftOpen }: Run): boolean => rootUnit !== undefined && leftOpen.has(rootUnit);

/** Returns the reason why the error of a unit of work is wrong. */
function whyUnexpected({ program, run, outcome }: Ended, thrown: unknown): string[] {
  const { failure, reason } = outcome;
  if (reason && (thrown === reason || thrown instanceof CommitUnknownError)) return [];
  if (failure)
    return thrown === failure.thrown
      ? whyWorkFailed(program, run, thrown)
      : [`${String(failure.thrown)} became ${String(thrown)}`];
  if (thrown instanceof UnfinishedWorkError && thrown.calls.length > 0 && leftWork(run)) return [];
  if (thrown instanceof ContentionError && run.effects.canContend) return [];
  return [`threw ${String(thrown)}, without a cause`];
}

function whyWorkFailed(program: Program, run: Run, thrown: unknown): string[] {
  if (thrown instanceof PlannedError) return [];
  if (thrown instanceof ConcurrentUseError && runsAtOnce(program)) return [];
  if (thrown instanceof ContentionError && run.attempted.canContend) return [];
  return run.isAborted ? [] : [`work threw ${String(thrown)}, without a cause`];
}

const keepsOut = ({ do: what }: Step): boolean =>
  ['inner', 'append', 'fill', 'stream', 'leave-stream'].includes(what);

/** Returns whether a program has a step that excludes others, and a concurrent step. */
function runsAtOnce(program: Program): boolean {
  const steps = program.branches.flatMap((branch) => branch.steps);
  const beside =
    program.branches.length > 1 ||
    steps.some(({ mode, step }) => mode === 'dropped' || step.do === 'leave-stream');
  return (
    beside && steps.some(({ step }) => keepsOut(step) || (step.do === 'inner' && step.steps.some(keepsOut)))
  );
}
