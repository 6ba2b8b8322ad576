import { Command } from 'commander';
import { describeLeftOut } from '../../catalog/server-guard.ts';
import type { Finding, LintReport } from '../../lint/observation/finding.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { dim, print, printJson, wrapLine } from '../../terminal/output.ts';
import { UsageError } from '../../terminal/usage-error.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly all?: boolean;
  readonly json?: boolean;
  readonly scratchUrl?: string;
}

/** Returns the command `lint`. */
export function lintCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('lint')
    .description('report what migrations lock, and safe forms; exit with 3 when there is a finding')
    .argument('[names...]', 'which migrations; by default those that are pending')
    .option('--all', 'every migration')
    .option(
      '--json',
      'print JSON: { database, migrations: [name], findings: [{ migration, direction, statement, sql, rule, object, table, lock, blocks, held, safe, page }], silenced: [the same, with reason], notLinted: [{ migration, direction, reason }], leftOut: [{ migration, statement, reason }] }',
    )
    .addOption(scratchUrlOption())
    .action((names: readonly string[], { all = false, json = false, scratchUrl }: Given) => {
      if (all && names.length > 0) throw new UsageError('--all and names exclude each other');
      return host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        const migrations = all ? 'all' : names.length > 0 ? names : 'pending';
        const report = await new Migrator(orm, { scratchUrl }).lint({ migrations });
        if (report.findings.length + report.notLinted.length > 0) process.exitCode = 3;
        if (json) return printJson({ database: place.database, ...report });
        for (const finding of report.findings) printFinding(finding);
        for (const { migration, direction, reason } of report.notLinted)
          print(wrapLine(`not linted: ${migration}, ${direction}: ${reason}`));
        for (const one of report.leftOut) print(wrapLine(describeLeftOut(one)));
        print(summaryOf(report));
      });
    });
}

function printFinding({
  migration,
  direction,
  statement,
  sql,
  rule,
  object,
  table,
  lock,
  blocks,
  held,
  safe,
  page,
}: Finding): void {
  const place = statement === null ? '' : `, statement ${statement}`;
  print(`${migration}, ${direction}${place}`);
  const locked = lock === null || table === null ? 'none' : `${lock} on ${table}, held ${held}`;
  const fields: readonly (readonly [string, string])[] = [
    ['rule', `${rule}: ${object}`],
    ...(sql === null ? [] : [['sql', oneLine(sql)] as const]),
    ['lock', locked],
    ['blocks', blocks],
    ['safe', safe],
    ['page', page],
  ];
  for (const [name, text] of fields) {
    const [first = '', ...rest] = text.split('\n');
    print(`  ${dim(name.padEnd(6))}  ${first}`);
    for (const line of rest) print(`          ${line}`);
  }
  print();
}

function oneLine(sql: string): string {
  const text = sql.replaceAll(/\s+/g, ' ').trim();
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

function summaryOf({ migrations, findings, silenced, notLinted }: LintReport): string {
  if (migrations.length + notLinted.length === 0) return 'Nothing is pending.';
  const counts = [
    count(migrations.length, 'migration') + ' linted',
    findings.length === 0 ? 'nothing found' : count(findings.length, 'finding'),
    ...(silenced.length > 0 ? [`${silenced.length} silenced`] : []),
  ];
  return `${counts.join(', ')}.`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
