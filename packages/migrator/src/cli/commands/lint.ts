import { Command, Option } from 'commander';
import { describeLeftOut } from '../../catalog/server-guard.ts';
import type { Finding, LintReport } from '../../lint/observation/finding.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { dim, print, printJson, wrapLine } from '../../terminal/output.ts';
import { parsePositiveInteger } from '../../terminal/options.ts';
import { milliseconds, oneLine, rowsText } from '../../terminal/quantities.ts';
import { UsageError } from '../../terminal/usage-error.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly all?: boolean;
  readonly rows?: number;
  readonly json?: boolean;
  readonly scratchUrl?: string;
}

/** Returns the command `lint`. */
export function lintCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('lint')
    .description('report what migrations lock, and safe forms; exit with 3 when there is a finding')
    .argument('[names...]', 'which migrations; by default those that are pending')
    .option('--all', 'every migration')
    .addOption(
      new Option(
        '--rows <n>',
        'also measure for how long each lock is held, on so many generated rows in each table',
      ).argParser(parsePositiveInteger),
    )
    .option(
      '--json',
      'print JSON: { database, migrations: [name], findings: [{ migration, direction, statement, sql, rule, object, table, lock, blocks, held, measured?, safe, page }], silenced: [the same, with reason], notLinted: [{ migration, direction, reason }], leftOut: [{ migration, statement, reason }] }; measured, with --rows: { rows, heldMs }',
    )
    .addOption(scratchUrlOption())
    .action((names: readonly string[], { all = false, rows, json = false, scratchUrl }: Given) => {
      if (all && names.length > 0) throw new UsageError('--all and names exclude each other');
      return host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        const migrations = all ? 'all' : names.length > 0 ? names : 'pending';
        const report = await new Migrator(orm, { scratchUrl }).lint({ migrations, rows });
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
  measured,
  safe,
  page,
}: Finding): void {
  const place = statement === null ? '' : `, statement ${statement}`;
  print(`${migration}, ${direction}${place}`);
  const time = measured ? `: ${milliseconds(measured.heldMs)} with ${rowsText(measured.rows)}` : '';
  const locked = lock === null || table === null ? 'none' : `${lock} on ${table}, held ${held}${time}`;
  const fields: readonly (readonly [string, string])[] = [
    ['rule', `${rule}: ${object}`],
    ...(sql === null ? [] : [['sql', oneLine(sql, 200)] as const]),
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
