import { stripVTControlCharacters } from 'node:util';
import type { Blocker, MigrationEvent } from '../run/context/migration-event.ts';
import { precheckLines } from './precheck-lines.ts';
import { driftLines } from './drift-lines.ts';
import { StatusLine } from './status-line.ts';
import { dim, print, printError } from './output.ts';
import { withTerminationSignal } from './termination.ts';

/** What a run of migrations reports to, and is stopped by. */
interface RunControl {
  readonly onEvent: (event: MigrationEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Runs migrations, and prints a line for each finished one and, on a terminal, the current activity. Passes a signal that stops the run at
 * SIGINT and SIGTERM.
 */
export async function runWithProgress<T>(
  quiet: boolean,
  run: (control: RunControl) => Promise<T>,
): Promise<T> {
  return withTerminationSignal(async (signal) => {
    if (quiet) return run({ onEvent: () => {}, signal });
    const current = new StatusLine();
    try {
      return await run({ onEvent: (event) => show(event, current), signal });
    } finally {
      current.clear();
    }
  });
}

function show(event: MigrationEvent, current: StatusLine): void {
  switch (event.kind) {
    case 'waiting':
      return current.begin(`waiting for ${event.holder}`, 'waiting');
    case 'takeover':
      current.clear();
      return print(`  recorded ${event.name} in place of the ${event.replaced.length} that it replaces`);
    case 'drift':
      for (const line of driftLines(event.differences)) printError(line);
      return;
    case 'prechecking':
      return current.begin(`counting rows that ${event.name} would fail on`);
    case 'prechecked':
      current.clear();
      for (const line of precheckLines(event.prechecks)) print(line);
      return;
    case 'statement':
      return current.begin(`${event.name} ${event.number}/${event.count} ${oneLine(event.sql)}`);
    case 'blocked':
      return current.showReason(
        `${event.name} waits for a lock held by ${event.by.map(describeBlocker).join(', ')}`,
      );
    case 'replacing':
      return current.showReason(
        `${event.name} recreates leftovers of a failed run: ${event.objects.join(', ')}`,
      );
    case 'retrying':
      return current.showReason(
        `${event.name} conflicted with other transactions, was rolled back and is retried`,
      );
    case 'batch':
      return current.showProgress(`${event.name} ${event.table}: ${describePace(event)}`);
    case 'done':
      current.clear();
      return print(
        `  ${event.direction === 'up' ? 'applied' : 'reverted'} ${event.name} ${dim(`${event.duration} ms`)}`,
      );
    case 'unverified':
    case 'started':
  }
}

// The application name is arbitrary text of another session.
function describeBlocker({ pid, role, application, state }: Blocker): string {
  const named = [role, application, state].filter(Boolean).join(', ');
  return stripVTControlCharacters(named === '' ? `process ${pid}` : `${named} (process ${pid})`);
}

function describePace({ rows, rowsPerSecond, remaining }: MigrationEvent & { kind: 'batch' }): string {
  const left = remaining === null ? '' : `, about ${formatNumber(Math.ceil(remaining / 1_000))} s left`;
  return `${formatNumber(rows)} rows, ${formatNumber(rowsPerSecond)} rows/s${left}`;
}

function oneLine(sql: string): string {
  return stripVTControlCharacters(sql).replaceAll(/\s+/g, ' ');
}

function formatNumber(count: number): string {
  return count.toLocaleString('en-US');
}
