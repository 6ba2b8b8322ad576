import { stripVTControlCharacters } from 'node:util';
import type { MikroORM } from '@mikro-orm/postgresql';
import type { DownLosses } from '../../losses/down-losses.ts';
import type { CommandHost, DatabaseLocation } from './host.ts';
import { isInteractive, prompt } from '../../terminal/prompt.ts';
import { UsageError } from '../../terminal/usage-error.ts';

/** A destructive command. */
interface Destructive {
  /** The name that was given with `--confirm`. */
  readonly confirm: string | undefined;
  /** What the command does: "reverts migrations". */
  readonly does: string;
  /** Returns what would be lost; called for development databases only. */
  readonly losses?: () => Promise<DownLosses>;
}

/**
 * Requires the name of the database as confirmation of a destructive command, unless it is a development database where nothing would be
 * lost. Prompts on a terminal; otherwise the name must be given. A given name is always checked.
 *
 * @throws UsageError when the name is missing or wrong.
 * @throws InterruptedError on Ctrl-C.
 */
export async function confirmDestructive<P extends DatabaseLocation>(
  host: CommandHost<P>,
  orm: MikroORM,
  info: P,
  { confirm, does, losses }: Destructive,
): Promise<void> {
  // A pooler may use another name.
  const [row] = await orm.em.execute<{ name: string }[]>('select current_database() as name');
  const { name = '' } = row ?? {};
  const why = host.isForDevelopment(info, name)
    ? confirm === undefined && losses && describeLosses(await losses())
    : 'is not a development database';
  // A wrong name is refused even when none is required.
  if (why || confirm !== undefined)
    await confirmName(host, { name, database: info.database, does, why: why || 'was selected' }, confirm);
}

/** A prompt for the name of a database. */
interface Question {
  readonly name: string;
  /** `user@host:port/database`, for display. */
  readonly database: string;
  /** What the command does: "reverts migrations". */
  readonly does: string;
  /** Why the name is required, with the database as subject: "is not a development database". */
  readonly why: string;
}

/**
 * Checks the given name, or prompts for it.
 *
 * @throws UsageError when it is wrong, or missing without a terminal.
 * @throws InterruptedError on Ctrl-C.
 */
export async function confirmName(
  { confirmedCommand }: Pick<CommandHost, 'confirmedCommand'>,
  question: Question,
  confirm: string | undefined,
): Promise<void> {
  const { name, does, why } = question;
  const database = stripVTControlCharacters(question.database);
  const about = `this ${does}, and ${database} ${why}`;
  if (confirm === undefined && !isInteractive())
    throw new UsageError(`${about}; to confirm, run: ${confirmedCommand(name)}`);
  const given =
    confirm ?? (await prompt(`T${about.slice(1)}. Type "${stripVTControlCharacters(name)}" to confirm: `));
  if (given !== name)
    throw new UsageError(
      `"${stripVTControlCharacters(given)}" is not the name of ${database}; nothing was changed`,
    );
}

const maxListed = 5;

/** Returns why the name is required; undefined when nothing is lost. */
function describeLosses({ tables, unknown }: DownLosses): string | undefined {
  if (tables.length === 0) return undefined;
  const named = tables.slice(0, maxListed).map((table) => stripVTControlCharacters(table));
  const others = tables.length - named.length;
  const listed = `${named.join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  return unknown === null
    ? `would lose data of ${listed}`
    : `might lose data of ${listed}, which could not be determined beforehand (${unknown.split('\n', 1)[0]})`;
}
