import { MigrationRefusedError } from '../session/errors.ts';
import type { CodeMigration } from '../files/code-migration.ts';
import type { LogRow } from './log.ts';

/** A squash that counts as applied, because the migrations that it replaces are. */
export interface Takeover {
  readonly name: string;
  /** Their rows in the log. */
  readonly replaced: readonly LogRow[];
}

/** What decides about squashes. */
interface Books {
  readonly migrations: readonly Pick<CodeMigration, 'name' | 'replaces'>[];
  readonly log: readonly LogRow[];
  readonly progress: readonly { readonly name: string }[];
}

/** A squash that can neither be applied nor take over. */
interface BlockedSquash {
  readonly name: string;
  readonly reason: string;
}

/**
 * Returns the log in which each squash counts as applied if all that it replaces is, and these squashes. Its row has the place of the first
 * of these, so that everything else is reverted before it.
 */
export function takeOver(books: Books): {
  readonly log: readonly LogRow[];
  readonly takeovers: readonly Takeover[];
} {
  let { log } = books;
  const takeovers = books.migrations.flatMap((migration) => {
    const { name, replaces } = migration;
    if (replaces.length === 0 || log.some((row) => row.name === name)) return [];
    if (obstacleOf({ ...books, log }, migration) !== null) return [];
    const replaced = log.filter((row) => replaces.includes(row.name));
    if (replaced.length === 0) return [];
    const row = {
      id: Math.min(...replaced.map(({ id }) => id)),
      name,
      executedAt: replaced.reduce(latest, ''),
    };
    log = [...log.filter((one) => !replaced.includes(one)), row].toSorted((a, b) => a.id - b.id);
    return [{ name, replaced }];
  });
  return { log, takeovers };
}

function latest(former: string, { executedAt }: LogRow): string {
  return former !== '' && Date.parse(former) > Date.parse(executedAt) ? former : executedAt;
}

/** Returns the squashes that are not applied and can neither be applied nor take over. */
export function blockedSquashes(books: Books): BlockedSquash[] {
  return books.migrations.flatMap((migration) => {
    const { name, replaces } = migration;
    if (replaces.length === 0 || books.log.some((row) => row.name === name)) return [];
    const reason = obstacleOf(books, migration);
    return reason === null ? [] : [{ name, reason }];
  });
}

/** @throws MigrationRefusedError when a squash can neither be applied nor take over. */
export function refuseBlockedSquashes(books: Books): void {
  const blocked = blockedSquashes(books);
  if (blocked.length > 0)
    throw new MigrationRefusedError(blocked.map(({ name, reason }) => `${name} ${reason}`).join('\n'));
}

/** Returns why a squash that is not in the log can neither be applied nor take over; null if it can. */
function obstacleOf(
  { migrations, log, progress }: Books,
  { replaces }: Books['migrations'][number],
): string | null {
  const present = migrations.filter(({ name }) => replaces.includes(name));
  if (present.length > 0)
    return `replaces ${namesOf(present)}, which the code still has: delete the file of each, or that of the squash`;
  const rows = log.filter(({ name }) => replaces.includes(name));
  const unfinished = progress.filter(({ name }) => replaces.includes(name));
  if (unfinished.length > 0)
    return `replaces ${unfinished[0]?.name}, which was interrupted: finish it with the release that still has its file`;
  const missing = replaces.filter((name) => !rows.some((row) => row.name === name));
  if (missing.length === replaces.length) return null;
  if (missing.length > 0)
    return (
      `replaces ${replaces.length} migrations, of which this database lacks ${missing.join(', ')}: first run \`up\` of the release ` +
      'that still has their files'
    );
  const twice = replaces.find((name) => rows.filter((row) => row.name === name).length > 1);
  return twice === undefined
    ? null
    : `replaces ${twice}, which has several rows in the log: find out why it was applied twice, then delete all but one`;
}

function namesOf(named: readonly { readonly name: string }[]): string {
  return named.map(({ name }) => name).join(', ');
}
