import { stripVTControlCharacters } from 'node:util';
import type { Blocker, MigrationEvent } from '../run/migration-event.ts';
import { CurrentLine } from './current-line.ts';
import { dim, say } from './output.ts';

/** Runs migrations and prints progress: a line for each finished migration, and on a terminal the current statement. */
export async function sayRun<T>(
  quiet: boolean,
  run: (onEvent: (event: MigrationEvent) => void) => Promise<T>,
): Promise<T> {
  if (quiet) return run(() => {});
  const current = new CurrentLine();
  try {
    return await run((event) => show(event, current));
  } finally {
    current.clear();
  }
}

function show(event: MigrationEvent, current: CurrentLine): void {
  switch (event.kind) {
    case 'waiting':
      return current.begin(`waiting for ${event.holder}`, 'waiting');
    case 'statement':
      return current.begin(`${event.name} ${event.number}/${event.count} ${oneLine(event.sql)}`);
    case 'blocked':
      return current.note(`${event.name} waits for a lock held by ${event.by.map(nameOf).join(', ')}`);
    case 'replacing':
      return current.note(`${event.name} replaces existing objects: ${event.objects.join(', ')}`);
    case 'retrying':
      return current.note(`${event.name} was rolled back because of a lock, and is retried`);
    case 'batch':
      return current.count(`${event.name} ${event.table}: ${paceOf(event)}`);
    case 'done':
      current.clear();
      return say(
        `  ${event.direction === 'up' ? 'applied' : 'reverted'} ${event.name} ${dim(`${event.duration} ms`)}`,
      );
    case 'started':
  }
}

// Sessions choose their names, which may contain control characters.
function nameOf({ pid, role, application, state }: Blocker): string {
  const named = [role, application, state].filter(Boolean).join(', ');
  return stripVTControlCharacters(named === '' ? `process ${pid}` : `${named} (process ${pid})`);
}

function paceOf({ rows, rowsPerSecond, remaining }: MigrationEvent & { kind: 'batch' }): string {
  const left = remaining === null ? '' : `, some ${grouped(Math.ceil(remaining / 1_000))} s left`;
  return `${grouped(rows)} rows, ${grouped(rowsPerSecond)} rows/s${left}`;
}

function oneLine(sql: string): string {
  return stripVTControlCharacters(sql).replaceAll(/\s+/g, ' ');
}

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
