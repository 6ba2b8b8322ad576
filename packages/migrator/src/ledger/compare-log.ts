import { MigrationRefusedError } from '../session/errors.ts';
import type { LastEntry } from './history.ts';

interface Recorded {
  readonly log: readonly { readonly id: number; readonly name: string; readonly executedAt: string }[];
  readonly history: ReadonlyMap<string, LastEntry>;
}

interface TakingOver {
  readonly takeovers: readonly { readonly replaced: readonly { readonly name: string }[] }[];
}

// What leaves a migration in the log.
const applying: ReadonlySet<string> = new Set(['up', 'baseline', 'applied', 'squash']);
// What takes it out of the log.
const reverting: ReadonlySet<string> = new Set(['down', 'reverted', 'forget', 'replaced']);

// Logs of some versions of the ORM keep whole seconds.
const precision = 1_000;

/**
 * Compares the log with the history. The ORM's own commands change the log alone, so that a row may be missing after the ORM reverted a
 * migration, and may be newer than the history. A row that is older than the migration's last `down` has no such explanation: it was
 * copied back, or `down` could not delete it.
 *
 * @throws MigrationRefusedError with the statements that repair the log.
 */
export function refuseContradictedLog({ log, history }: Recorded, table: string): void {
  const contradicted = log.filter(({ name, executedAt }) => {
    const last = history.get(name);
    return (
      last !== undefined &&
      reverting.has(last.direction) &&
      Date.parse(executedAt) + precision < Date.parse(last.finishedAt)
    );
  });
  if (contradicted.length === 0) return;
  const lines = contradicted.map(({ id, name, executedAt }) => {
    const { finishedAt: revertedAt = '', direction } = history.get(name) ?? {};
    const how = direction === 'replaced' ? 'replaced by a squash' : 'reverted';
    return `${name} is in the log since ${executedAt}, but the history says that it was ${how} at ${revertedAt}: delete from ${table} where id = ${id};`;
  });
  throw new MigrationRefusedError(
    `the log contradicts the history. See whether these are applied; for each that is not, run the statement:\n${lines.join('\n')}`,
  );
}

/**
 * Refuses to apply a migration again that the history says is applied, if the log lacks it but has later ones: nothing shows that it was
 * reverted. Without later ones, the ORM's own `down` may have deleted the row, and it counts as pending.
 *
 * @throws MigrationRefusedError
 */
export function refuseGaps({ log, history, takeovers }: Recorded & TakingOver, table: string): void {
  // A takeover is in the log in place of what it replaces.
  const logged = new Set([...log, ...takeovers.flatMap(({ replaced }) => replaced)].map(({ name }) => name));
  // A row that is newer than the history was written by the ORM, after it had reverted others perhaps.
  const finished = log.flatMap(({ name, executedAt }) => {
    const last = history.get(name);
    const isOurs =
      last && applying.has(last.direction) && Date.parse(executedAt) <= Date.parse(last.finishedAt);
    return isOurs ? [Date.parse(last.finishedAt)] : [];
  });
  const newest = Math.max(-Infinity, ...finished);
  const missing = [...history.values()].filter(
    ({ name, direction, finishedAt }) =>
      applying.has(direction) && !logged.has(name) && Date.parse(finishedAt) < newest,
  );
  if (missing.length === 0) return;
  const lines = missing.map(
    ({ name, finishedAt, role }) =>
      `${name} (${finishedAt} by ${role}): insert into ${table} (name) values ('${name.replaceAll("'", "''")}');`,
  );
  throw new MigrationRefusedError(
    `the history says that these are applied, and the log lacks them although it has later ones: rows were hidden or deleted. For each ` +
      `that is applied, run the statement; to apply the others again, pass --allow-out-of-order (allowOutOfOrder):\n${lines.join('\n')}`,
  );
}
