import { stripVTControlCharacters } from 'node:util';
import type { Rename } from '../create/decisions.ts';
import { UndecidedDropsError, type UndecidedDrop } from '../create/undecided.ts';
import { UsageError } from './usage-error.ts';
import { isInteractive, prompt } from './prompt.ts';

interface Answers {
  readonly renames: readonly Rename[];
  readonly drops: readonly string[];
}

/**
 * Runs `work`. On a terminal, asks what became of tables and columns that it can't decide on, and runs it again with the answers.
 *
 * @throws UndecidedDropsError without a terminal.
 * @throws UsageError for an answer that is not among those that were offered.
 * @throws InterruptedError on Ctrl-C.
 */
export async function withAnswers<T>(
  decisions: Answers,
  work: (decisions: Answers) => Promise<T>,
): Promise<T> {
  try {
    return await work(decisions);
  } catch (error) {
    if (!(error instanceof UndecidedDropsError) || !isInteractive()) throw error;
    return withAnswers(await ask(decisions, error.undecided), work);
  }
}

async function ask({ renames, drops }: Answers, undecided: readonly UndecidedDrop[]): Promise<Answers> {
  const [added, dropped]: [Rename[], string[]] = [[...renames], [...drops]];
  for (const { name, kind, candidates } of undecided) {
    const taken = new Set(added.map(({ to }) => to));
    const offered = candidates.filter((one) => kind === 'column' || !taken.has(one));
    const answer = (await prompt(questionFor(name, kind, offered))).trim();
    if (answer === 'drop') dropped.push(name);
    else if (offered.includes(answer)) added.push({ from: name, to: answer });
    else {
      throw new UsageError(
        `"${stripVTControlCharacters(answer)}" is not among the answers; nothing was written`,
      );
    }
  }
  return { renames: added, drops: dropped };
}

function questionFor(name: string, kind: UndecidedDrop['kind'], candidates: readonly string[]): string {
  const what = stripVTControlCharacters(name);
  const lost = kind === 'table' ? 'its rows' : 'its values';
  if (candidates.length === 0)
    return `No entity describes ${what} any more. Type "drop" to drop it with ${lost}: `;
  const names = candidates.map((one) => `"${stripVTControlCharacters(one)}"`).join(' or ');
  return `No entity describes ${what} any more. Type ${names} if that is its new name, or "drop" to drop it with ${lost}: `;
}
