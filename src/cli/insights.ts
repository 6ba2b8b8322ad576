import { print, printJson, table } from 'mikro-orm-safe-migrations/cli';
import { stripVTControlCharacters } from 'node:util';
import { Command } from 'commander';
import { targetOf } from '../database/default-target.ts';
import type { CallStatistics, Insights } from '../database/insights/call-statistics.ts';
import { resolveSettings } from '../settings/resolve-settings.ts';

/** Returns the command `synthdb insights`. */
export function insightsCommand(): Command {
  return new Command('insights')
    .description(
      'show what each call of the package has cost the server, from pg_stat_statements, the most expensive first',
    )
    .option(
      '--json',
      'print JSON: { database, since, hidden, calls: [{ call, statements, executions, totalMs, meanMs, maxMs, rows, cached }] }',
    )
    .action(async ({ json = false }: { json?: boolean }) => {
      const { readInsights } = await import('../database/insights/call-statistics.ts');
      const { connectOptions } = await import('../postgres/orm/connect-options.ts');
      const { connect } = await import('../postgres/orm/connect.ts');
      const settings = resolveSettings();
      const { target } = await targetOf(settings.url);
      const orm = await connect(target, { ...connectOptions(settings), entities: false });
      try {
        const insights = await readInsights(orm);
        if (json) return printJson({ database: target.label, ...insights });
        print(`PostgreSQL at ${stripVTControlCharacters(target.label)}${sinceOf(insights)}`);
        print(
          table(
            ['call', 'executions', 'total', 'mean', 'longest', 'rows', 'cached', 'share'],
            rowsOf(insights.calls),
          ),
        );
        if (insights.hidden > 0)
          print(
            `${insights.hidden} statements of other roles are left out: grant pg_read_all_stats to this role to read them`,
          );
      } finally {
        await orm.close(true);
      }
    });
}

function sinceOf({ since }: Insights): string {
  return since ? `, since ${since.toISOString().slice(0, 16).replace('T', ' ')} UTC` : '';
}

function rowsOf(calls: readonly CallStatistics[]): string[][] {
  const total = calls.reduce((sum, { totalMs }) => sum + totalMs, 0);
  return calls.map(({ call, executions, totalMs, meanMs, maxMs, rows, cached }) => [
    call ?? 'other statements',
    executions.toLocaleString('en'),
    milliseconds(totalMs),
    milliseconds(meanMs),
    milliseconds(maxMs),
    rows.toLocaleString('en'),
    cached === null ? '' : percent(cached),
    total === 0 ? '' : percent(totalMs / total),
  ]);
}

function milliseconds(value: number): string {
  return `${value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 2 : 0 })} ms`;
}

function percent(part: number): string {
  return `${(part * 100).toFixed(0)} %`;
}
