import { Command } from 'commander';
import { describeDifference, describeEntityDifference } from '../../catalog/differences.ts';
import { describeLeftOut } from '../../catalog/server-guard.ts';
import type { CheckResult } from '../../check.ts';
import type { MigrationCondition } from '../../ledger/status.ts';
import { replacedLine } from '../../terminal/replaced-line.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { dim, print, printJson, table } from '../../terminal/output.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

/** Returns the command `check`. */
export function checkCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('check')
    .description('compare the database, the migrations and the entities; exit with 3 when they differ')
    .option(
      '--json',
      'print JSON: { database, agrees, migrations: [status], unlisted: [file], differences: [{ object, part, fact, expected, found, remedy }] or null, leftOut: [{ migration, statement, reason }], entityDifferences: [{ object, part, fact, expected, found, remedy }], entities: [sql], replaced: [{ table, column, by }] }',
    )
    .addOption(scratchUrlOption())
    .action(({ json = false, scratchUrl }: { json?: boolean; scratchUrl?: string }) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        const result = await new Migrator(orm, { scratchUrl }).check();
        if (!result.agrees) process.exitCode = 3;
        const { database: differences, ...others } = result;
        if (json) return printJson({ database: place.database, ...others, differences });
        print(host.describe(place));
        for (const { title, lines } of [
          migrations(result, host.migrationList),
          database(result),
          entities(result),
        ])
          printComparison(title, lines, host);
        for (const one of result.leftOut) print(describeLeftOut(one));
        for (const one of result.replaced) print(host.formatMessage(replacedLine(one)));
      }),
    );
}

/** One of the comparisons: its differences, each with a remedy. */
interface Comparison {
  readonly title: string;
  readonly lines: readonly (readonly [difference: string, remedy: string])[];
}

function migrations({ migrations: unapplied, unlisted }: CheckResult, list: string): Comparison {
  const lines = [
    ...unapplied.map(({ name, condition }) => [`${name} is ${condition}`, remedies[condition]] as const),
    ...unlisted.map((file) => [`${file} is not listed`, `add it to ${list}`] as const),
  ];
  return { title: 'migrations applied', lines };
}

function database({ database: found }: CheckResult): Comparison {
  const lines = found?.map((one) => [describeDifference(one), one.remedy] as const) ?? [
    ['not compared: the file of an applied migration is missing', 'see above'] as const,
  ];
  return { title: 'migrations and database', lines };
}

function entities({ entityDifferences, entities: sql }: CheckResult): Comparison {
  const lines = [
    ...entityDifferences.map((one) => [describeEntityDifference(one), one.remedy] as const),
    ...sql.map(
      (statement) =>
        [
          `needed by the entities: ${statement.replaceAll(/\s+/g, ' ')}`,
          'migrate create, or correct the entity',
        ] as const,
    ),
  ];
  return { title: 'entities and migrations', lines };
}

function printComparison(
  title: string,
  lines: Comparison['lines'],
  { formatMessage }: Pick<CommandHost, 'formatMessage'>,
): void {
  print(`${title}: ${lines.length === 0 ? 'agree' : count(lines.length)}`);
  if (lines.length > 0)
    print(
      table(
        ['', 'remedy'],
        // A remedy of many differences is one action.
        lines.map(([what, remedy], index) => [
          `  ${what}`,
          dim(remedy === lines[index - 1]?.[1] ? '″' : formatMessage(remedy)),
        ]),
      ),
    );
}

function count(differences: number): string {
  return differences === 1 ? '1 difference' : `${differences} differences`;
}

const remedies: Readonly<Record<MigrationCondition, string>> = {
  applied: '',
  pending: 'migrate up',
  optional: 'migrate up --optional',
  unfinished: 'migrate up, which resumes it',
  edited: 'restore the file, and write a new migration for the change',
  missing: 'restore its file, or run the code that has it',
  ahead: 'run the code that has it',
  late: 'rename it to be the newest, or migrate up --allow-out-of-order',
  takeover: 'migrate up, which records it in place of what it replaces',
  blocked: 'migrate up, which says why',
  duplicate: 'delete all but one of its rows from the log',
};
