import { writeFile } from 'node:fs/promises';
import { Argument, Command, Option } from 'commander';
import { StatusLine } from '../../terminal/status-line.ts';
import { print, printJson, tableOfNames, wrapLine } from '../../terminal/output.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { UsageError } from '../../terminal/usage-error.ts';
import { remarksOf } from '../../terminal/certificate-remarks.ts';
import type { VerifyProgress } from '../../verify/verify.ts';
import { parsePositiveInteger } from '../../terminal/options.ts';
import { printTraffic } from './print-traffic.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';
import { measuredLines } from './verify-measured.ts';

interface Given {
  readonly pending?: boolean;
  readonly certificate?: string;
  readonly rows?: number;
  readonly traffic?: boolean;
  readonly trafficOld?: string;
  readonly trafficNew?: string;
  readonly json?: boolean;
  readonly scratchUrl?: string;
}

/** Returns the command `verify`. */
export function verifyCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('verify')
    .description(
      'run migrations up and down on scratch databases with generated rows; exit with 3 when one loses or refuses what it does not declare',
    )
    .addArgument(new Argument('[names...]', 'the migrations; all by default'))
    .option('--pending', 'those that are not applied')
    .addOption(
      new Option(
        '--rows <n>',
        'also measure the time and locks of each statement, and how long readers and writers wait, on so many rows in each table that it touches',
      ).argParser(parsePositiveInteger),
    )
    .option(
      '--traffic',
      'also send requests of the code of before and after each migration while it is applied and reverted; exit with 3 when one fails or waits longer than the lock timeout + 100 ms',
    )
    .option('--traffic-old <module>', 'also send the requests of the previous build, which a module exports')
    .option('--traffic-new <module>', 'also send the requests of this build, which a module exports')
    .addOption(new Option('--certificate <file>', 'also write the certificates to a file, as JSON'))
    .option(
      '--json',
      'print JSON: { database, certificates: [{ migration, certificate, loses: [effect], losesDown: [effect], refusesUp: [effect], refusesDown: [effect], differences: [{ after, difference }], failures: [text], notSeen: [text], notCovered: [table], leftOut, rows, durationMs, checksum, traffic, measured? }] }; an effect: { object, what, rows, declared }; measured, with --rows: { rows, tables: [{ table, rows, reason }], statements: [{ direction, statement, sql, durationMs, locks: [{ table, lock, blocks, heldMs, readerStallMs, writerStallMs }] }], failures: [text] }; traffic: { up, down, failures: [{ code, during, object, what, requests, declared }], assumed: [text], notCovered: [table] } or null; its up, down: { requests, failed, refused, retried: { sqlstate: count }, worstStallMs, slowestMs, stallLimitMs }',
    )
    .addOption(scratchUrlOption())
    .action((names: string[], given: Given) => {
      const { pending = false, certificate, rows, json = false, scratchUrl } = given;
      const workloads = { old: given.trafficOld, new: given.trafficNew };
      const hasWorkload = workloads.old !== undefined || workloads.new !== undefined;
      const traffic = hasWorkload ? workloads : (given.traffic ?? false);
      if (pending && names.length > 0) throw new UsageError('pass names or --pending, not both');
      const migrations = names.length > 0 ? names : pending ? 'pending' : 'all';
      return host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        if (!json) print(host.describe(place));
        const certificates = await withProgress(json, (onProgress) =>
          new Migrator(orm, { scratchUrl }).verify({ migrations, rows, traffic, onProgress }),
        );
        if (certificates.some((one) => one.certificate === 'failed')) process.exitCode = 3;
        if (certificate !== undefined)
          await writeFile(certificate, `${JSON.stringify(certificates, null, 2)}\n`);
        if (json) return printJson({ database: place.database, certificates });
        if (certificates.length === 0) return print('There is no migration to verify.');
        print(
          tableOfNames(
            ['certificate', 'migration', 'rows', 'took'],
            certificates.map((one) => [
              one.certificate,
              one.migration,
              String(one.rows),
              `${(one.durationMs / 1000).toFixed(1)} s`,
            ]),
            1,
          ),
        );
        for (const one of certificates)
          for (const line of remarksOf(one)) print(wrapLine(`  ${one.migration}: ${line}`));
        for (const line of measuredLines(certificates)) print(line);
        printTraffic(certificates);
      });
    });
}

async function withProgress<T>(
  quiet: boolean,
  run: (onProgress: (progress: VerifyProgress) => void) => Promise<T>,
): Promise<T> {
  if (quiet) return run(() => {});
  const line = new StatusLine();
  try {
    return await run(({ migration, number, count, step }) =>
      line.begin(`${number}/${count} ${migration}, ${step}`),
    );
  } finally {
    line.clear();
  }
}
