import { createInterface } from 'node:readline/promises';
import { isatty } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { DownLosses } from '../losses/down-losses.ts';
import type { CommandHost, Place } from './host.ts';
import { InterruptedError } from './interrupted-error.ts';
import { lostOutput } from './standard-streams.ts';
import { UsageError } from './usage-error.ts';

/** A command that may destroy data. */
interface Destructive {
  /** The value of `--confirm`. */
  readonly confirm: string | undefined;
  /** What the command does, as "reverts migrations". */
  readonly does: string;
  /** Returns what would be lost; called only for databases for development. */
  readonly losses?: () => Promise<DownLosses>;
}

/**
 * Asks for the database's name before something destructive: where the database is not one for development, and where rows or values
 * would be lost. Without a terminal the name has to be passed along. A name that was passed along is always checked.
 *
 * @throws UsageError when it is not given, or wrong; InterruptedError on Ctrl-C. Nothing was changed then.
 */
export async function confirmDestructive<P extends Place>(
  host: CommandHost<P>,
  orm: MikroORM,
  place: P,
  { confirm, does, losses }: Destructive,
): Promise<void> {
  // A pooler may use another name.
  const [row] = await orm.em.execute<{ name: string }[]>('select current_database() as name');
  const { name = '' } = row ?? {};
  const why = host.isForDevelopment(place, name)
    ? confirm === undefined && losses && reasonOf(await losses())
    : 'is not a database for development';
  // A wrong name is also refused where none is needed.
  if (why || confirm !== undefined)
    await confirmName(host, { name, database: place.database, does, why: why || 'is meant' }, confirm);
}

/** A question for the name of a database. */
interface Question {
  readonly name: string;
  /** For people: `user@host:port/database`. */
  readonly database: string;
  /** What the command does, as "reverts migrations". */
  readonly does: string;
  /** The reason, with the database as its subject: "is not a database for development". */
  readonly why: string;
}

/**
 * Checks the name that was passed along, or else asks the terminal for it.
 *
 * @throws UsageError when it is wrong, or there is no terminal to ask; InterruptedError on Ctrl-C.
 */
export async function confirmName(
  { confirmedCommand }: Pick<CommandHost, 'confirmedCommand'>,
  question: Question,
  confirm: string | undefined,
): Promise<void> {
  const { name, does, why } = question;
  const database = stripVTControlCharacters(question.database);
  const about = `this ${does}, and ${database} ${why}`;
  // A question on a standard error that is a file would not be seen.
  if (confirm === undefined && !(isatty(0) && isatty(2)))
    throw new UsageError(`${about}; to go on, run: ${confirmedCommand(name)}`);
  const given =
    confirm ?? (await answerTo(`T${about.slice(1)}. Type "${stripVTControlCharacters(name)}" to go on: `));
  if (given !== name)
    throw new UsageError(
      `"${stripVTControlCharacters(given)}" is not the name of ${database}; nothing was changed`,
    );
}

/** Returns the line that is typed; empty at the end of input. */
async function answerTo(question: string): Promise<string> {
  // Earlier output comes first.
  await lostOutput();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  terminal.once('close', () => resolve(''));
  terminal.once('SIGINT', () => reject(new InterruptedError('interrupted; nothing was changed')));
  terminal.question(question).then(resolve, reject);
  try {
    return await promise;
  } finally {
    terminal.close();
  }
}

const mostNamed = 5;

/** Returns the reason for the question; undefined when nothing is lost. */
function reasonOf({ tables, unknown }: DownLosses): string | undefined {
  if (tables.length === 0) return undefined;
  const named = tables.slice(0, mostNamed).map((table) => stripVTControlCharacters(table));
  const others = tables.length - named.length;
  const listed = `${named.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  return unknown === null
    ? `would lose data of ${listed}`
    : `might lose data of ${listed}, which could not be determined beforehand (${unknown.split('\n', 1)[0]})`;
}
