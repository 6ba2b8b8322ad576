import { Argument, Command, Option } from 'commander';
import type { Migrator as MigratorType } from '../../migrator.ts';
import type { Direction } from '../../files/code-migration.ts';
import type { Forecast } from '../../forecast/forecast.ts';
import type { MigrationStatus } from '../../ledger/status.ts';
import type { PlannedMigration } from '../../plan/plan.ts';
import { describePrecheck } from '../../prechecks/describe.ts';
import type { Precheck } from '../../prechecks/rows/precheck.ts';
import { parseBackfill } from '../../files/backfill.ts';
import { dim, print, printJson, wrapLine } from '../../terminal/output.ts';
import { optionalOption, parsePositiveInteger } from '../../terminal/options.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { UsageError } from '../../terminal/usage-error.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';
import { forecastComments } from './plan-forecast.ts';

interface Given {
  readonly to?: string;
  readonly steps?: number;
  readonly all?: boolean;
  readonly optional?: readonly string[];
  readonly allowOutOfOrder?: boolean;
  readonly allowAhead?: boolean;
  readonly refuseDrift?: boolean;
  readonly from?: string;
  readonly forecast?: boolean;
  readonly scratchUrl?: string;
  readonly json?: boolean;
}

/** Returns the command `plan`. */
export function planCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('plan')
    .description(
      'print the SQL that up or down would send, and count the rows that it would fail on; calls these migrations, without a database',
    )
    .addArgument(new Argument('[direction]', 'which way').choices(['up', 'down']).default('up'))
    .addOption(new Option('--to <name>', 'the last one to apply, or to keep').conflicts(['steps', 'all']))
    .addOption(
      new Option('--steps <n>', 'how many to revert').argParser(parsePositiveInteger).conflicts('all'),
    )
    .option('--all', 'revert every one')
    .addOption(
      optionalOption('also apply this optional migration, or revert only this one').conflicts([
        'steps',
        'all',
      ]),
    )
    .option('--allow-out-of-order', 'also apply migrations that are older than applied ones')
    .option('--allow-ahead', 'accept a database that newer code has migrated, if nothing is pending')
    .addOption(
      new Option('--refuse-drift', 'refuse when the schema differs from what the last run left').conflicts(
        'from',
      ),
    )
    .option('--from <name>', 'the last migration to regard as applied, or "none"; opens no connection')
    .addOption(
      new Option(
        '--forecast',
        'also measure on scratch databases how long each statement will take and block others, at the real sizes of the tables',
      ).conflicts('from'),
    )
    .option(
      '--json',
      'print JSON: [{ name, direction, transactional, known, statements, takesOver: [name], optional: why or null, prechecks: [{ migration, statement, kind, table, subject, outcome, rows, of, isLowerBound, query, reason }], forecast? }]; forecast, with --forecast: { migration, direction, durationMs, statements: [{ statement, sql, durationMs, locks: [{ table, lock, blocks, heldMs }] }], tables: [{ table, rows, bytes, hasStatistics, measuredRows }], unknown }',
    )
    .addOption(scratchUrlOption())
    .action(
      async (
        direction: Direction,
        { from, forecast = false, scratchUrl, json = false, ...request }: Given,
      ) => {
        refuseOptionsOfOther(direction, request);
        const { Migrator } = await import('../../migrator.ts');
        let leftOut: readonly MigrationStatus[] = [];
        const planned =
          from === undefined
            ? await host.withDatabase(async (orm) => {
                const migrator = new Migrator(orm, { scratchUrl });
                const found = await plan(migrator, direction, request);
                if (direction === 'up' && !json) leftOut = await optionalBut(migrator, found);
                return forecast ? withForecasts(migrator, found) : found;
              })
            : await host.withoutDatabase((orm) =>
                plan(new Migrator(orm), direction, { ...request, from: from === 'none' ? null : from }),
              );
        if (json) return printJson(planned);
        print(asSql(planned, direction));
        for (const one of leftOut)
          print(dim(wrapLine(`-- Left out: ${one.name} is optional: ${one.optional}`, '--   ')));
      },
    );
}

/** Returns the optional migrations that are neither applied nor planned. */
async function optionalBut(
  migrator: MigratorType,
  planned: readonly PlannedMigration[],
): Promise<MigrationStatus[]> {
  const found = await migrator.status();
  return found.filter(
    ({ name, condition }) => condition === 'optional' && !planned.some((one) => one.name === name),
  );
}

/** A planned migration, and how long it will take. */
type Planned = PlannedMigration & { readonly forecast?: Forecast };

async function withForecasts(
  migrator: MigratorType,
  planned: readonly PlannedMigration[],
): Promise<Planned[]> {
  const forecasts = await migrator.forecast(planned);
  return planned.map((one) => {
    const found = forecasts.find(
      ({ migration, direction }) => migration === one.name && direction === one.direction,
    );
    return found ? { ...one, forecast: found } : one;
  });
}

function plan(
  migrator: MigratorType,
  direction: Direction,
  {
    allowOutOfOrder,
    allowAhead,
    refuseDrift,
    steps,
    all,
    ...rest
  }: Omit<Given, 'from'> & { from?: string | null },
): Promise<PlannedMigration[]> {
  return direction === 'down'
    ? migrator.planDown({ ...rest, steps, all })
    : migrator.planUp({ ...rest, allowOutOfOrder, allowAhead, refuseDrift });
}

/** @throws UsageError for an option of the other direction. */
function refuseOptionsOfOther(
  direction: Direction,
  { allowOutOfOrder, allowAhead, refuseDrift, steps, all }: Given,
): void {
  if (direction === 'down' && (allowOutOfOrder ?? allowAhead ?? refuseDrift) !== undefined)
    throw new UsageError('--allow-out-of-order, --allow-ahead and --refuse-drift belong to plan up');
  if (direction === 'up' && (steps !== undefined || all !== undefined))
    throw new UsageError('--steps and --all belong to plan down');
}

const omitted =
  '-- Bookkeeping statements (lease, log, history) and those that restore settings are omitted.';

/** Returns SQL that can be pasted; everything else is in comments. */
function asSql(planned: readonly Planned[], direction: Direction): string {
  if (planned.length === 0) return `-- Nothing to ${direction === 'up' ? 'apply' : 'revert'}.`;
  return [omitted, ...planned.map(migrationAsSql)].join('\n\n');
}

function migrationAsSql(planned: Planned): string {
  const { name, direction, transactional, known, statements, prechecks = [], forecast } = planned;
  const { takesOver, optional } = planned;
  if (takesOver.length > 0) {
    return [
      `-- ${name}: recorded as applied in place of these, whose result the database has. Nothing is sent.`,
      ...takesOver.map((replaced) => `--   ${replaced}`),
    ].join('\n');
  }
  const lines = [`-- ${name}, ${direction}`];
  if (optional !== null) lines.push(...`Optional: ${optional}`.split('\n').map((line) => `-- ${line}`));
  for (const precheck of prechecks) lines.push(...asComment(precheck));
  if (forecast) lines.push(...forecastComments(forecast));
  if (!transactional) {
    lines.push(
      '-- Outside a transaction, on a separate connection. Behind a pooler the two `set` are not sent: timeouts come from',
      '-- the role. An INVALID index of an interrupted run is dropped before it is built again.',
    );
  }
  if (statements.some((sql) => parseBackfill(sql))) {
    lines.push('-- This backfill runs in batches, each in its own transaction:');
  }
  if (!known) {
    lines.push(
      '-- NOT KNOWN IN ADVANCE: its statements depend on the database. Only the statements around them:',
    );
  }
  return [...lines, ...statements.map(withSemicolon)].join('\n');
}

function asComment(precheck: Precheck): string[] {
  const { outcome, query } = precheck;
  const lines = [`${outcome === 'refused' ? 'WOULD FAIL: ' : ''}${describePrecheck(precheck)}`, query ?? ''];
  return lines.flatMap((text) => (text === '' ? [] : text.split('\n').map((line) => `-- ${line}`)));
}

// A comment at the end would swallow the semicolon.
function withSemicolon(statement: string): string {
  if (statement.endsWith(';')) return statement;
  return statement.slice(statement.lastIndexOf('\n') + 1).includes('--')
    ? `${statement}\n;`
    : `${statement};`;
}
