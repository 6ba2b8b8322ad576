import { Command } from 'commander';
import { describeDifference, Migrator, type CheckResult, type Condition } from 'mikro-orm-safe-migrations';
import { toInvocationTerms } from './invocation.ts';
import { dim, print, printJson, table } from './output.ts';
import { printDatabase, withDatabase } from './with-database.ts';

/** Returns the command `synthdb migrate check`. */
export function migrateCheckCommand(): Command {
  return new Command('check')
    .description('compare the database, the migrations and the entities; end with 3 when they differ')
    .option(
      '--json',
      'print JSON: { database, agrees, migrations: [status], unlisted: [file], differences: [{ object, part, fact, expected, found, remedy }] or null, entities: [sql] }',
    )
    .action(({ json = false }: { json?: boolean }) =>
      withDatabase('migrations', async (orm, info) => {
        const result = await new Migrator(orm).check();
        if (!result.agrees) process.exitCode = 3;
        const { database: differences, ...others } = result;
        if (json) return printJson({ database: info.database, ...others, differences });
        printDatabase(info);
        for (const section of [pending, database, entities]) section(result);
      }),
    );
}

function pending({ migrations, unlisted }: CheckResult): void {
  printComparison('migrations applied', [
    ...migrations.map(({ name, condition }) => [`${name} is ${condition}`, remedies[condition]] as const),
    ...unlisted.map((file) => [`${file} is not listed`, 'add it to src/migrations.ts'] as const),
  ]);
}

function database({ database: found }: CheckResult): void {
  printComparison(
    'migrations and database',
    found?.map((one) => [describeDifference(one), one.remedy]) ?? [
      ['not compared: this code lacks a migration that is applied', 'see above'],
    ],
  );
}

function entities({ entities: sql }: CheckResult): void {
  printComparison(
    'entities and migrations',
    sql.map((statement) => [
      `the entities want: ${statement.replaceAll(/\s+/g, ' ')}`,
      'migrate create, or correct the entity',
    ]),
  );
}

function printComparison(
  title: string,
  lines: readonly (readonly [difference: string, remedy: string])[],
): void {
  print(`${title}: ${lines.length === 0 ? 'agree' : count(lines.length)}`);
  if (lines.length > 0)
    print(
      table(
        ['', 'remedy'],
        // A remedy of many differences is one action.
        lines.map(([what, remedy], index) => [
          `  ${what}`,
          dim(remedy === lines[index - 1]?.[1] ? '″' : toInvocationTerms(remedy)),
        ]),
      ),
    );
}

function count(differences: number): string {
  return differences === 1 ? '1 difference' : `${differences} differences`;
}

const remedies: Readonly<Record<Condition, string>> = {
  applied: '',
  pending: 'migrate up',
  unfinished: 'migrate up, which goes on with it',
  edited: 'bring it back to what was applied, and make the change a new migration',
  missing: 'bring its file back, or run the code that has it',
  ahead: 'run the code that has it',
  late: 'rename it to come last, or migrate up --allow-out-of-order',
  duplicate: 'delete all its rows but one from the log',
};
