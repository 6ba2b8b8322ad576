import { writeFile } from 'node:fs/promises';
import { Argument, Command, Option } from 'commander';
import { describeNotRestored } from '../../catalog/differences.ts';
import { describeLeftOut } from '../../catalog/server-guard.ts';
import { StatusLine } from '../../terminal/status-line.ts';
import { print, printJson, tableOfNames, wrapLine } from '../../terminal/output.ts';
import { scratchUrlOption } from '../../terminal/scratch-url-option.ts';
import { UsageError } from '../../terminal/usage-error.ts';
import type { Certificate, VerifiedEffect } from '../../verify/certificate.ts';
import type { VerifyProgress } from '../../verify/verify.ts';
import { printTraffic } from './print-traffic.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly pending?: boolean;
  readonly certificate?: string;
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
    .option(
      '--traffic',
      'also send requests of the code of before and after each migration while it is applied and reverted; exit with 3 when one fails or waits longer than the lock timeout + 100 ms',
    )
    .option('--traffic-old <module>', 'also send the requests of the previous build, which a module exports')
    .option('--traffic-new <module>', 'also send the requests of this build, which a module exports')
    .addOption(new Option('--certificate <file>', 'also write the certificates to a file, as JSON'))
    .option(
      '--json',
      'print JSON: { database, certificates: [{ migration, certificate, loses: [effect], losesDown: [effect], refusesUp: [effect], refusesDown: [effect], differences: [{ after, difference }], failures: [text], notSeen: [text], notCovered: [table], leftOut, rows, durationMs, traffic }] }; an effect: { object, what, rows, declared }; traffic: { up, down, failures: [{ code, during, object, what, requests, declared }], assumed: [text], notCovered: [table] } or null; up, down: { requests, failed, refused, retried: { sqlstate: count }, worstStallMs, slowestMs, stallLimitMs }',
    )
    .addOption(scratchUrlOption())
    .action((names: string[], given: Given) => {
      const { pending = false, certificate, json = false, scratchUrl } = given;
      const workloads = { old: given.trafficOld, new: given.trafficNew };
      const hasWorkload = workloads.old !== undefined || workloads.new !== undefined;
      const traffic = hasWorkload ? workloads : (given.traffic ?? false);
      if (pending && names.length > 0) throw new UsageError('pass names or --pending, not both');
      const migrations = names.length > 0 ? names : pending ? 'pending' : 'all';
      return host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        if (!json) print(host.describe(place));
        const certificates = await withProgress(json, (onProgress) =>
          new Migrator(orm, { scratchUrl }).verify({ migrations, traffic, onProgress }),
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
        for (const one of certificates) for (const line of linesOf(one)) print(wrapLine(`  ${line}`));
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

/** Returns what has to be changed, or known, of a migration; what it declares is in the table. */
function linesOf(one: Certificate): string[] {
  const lines = [
    ...one.failures,
    ...one.differences.map(
      ({ after, difference }) =>
        `after ${after === 'down' ? 'up and down' : 'up, down and up'}, ${describeNotRestored(difference)}`,
    ),
    ...undeclared(one.loses, 'after up and down,', 'loses'),
    ...undeclared(one.losesDown, 'after down and up,', 'loses'),
    ...undeclared(one.refusesUp, 'up refuses rows of', 'refuses'),
    ...undeclared(one.refusesDown, 'down refuses rows of', 'refuses'),
    ...one.notSeen.map((text) => `declared, and not seen: ${text}`),
    ...(one.notCovered.length > 0 ? [`not covered, no row could be made: ${one.notCovered.join(', ')}`] : []),
    ...one.leftOut.map(describeLeftOut),
  ];
  return lines.map((line) => `${one.migration}: ${line}`);
}

function undeclared(effects: readonly VerifiedEffect[], does: string, declaration: string): string[] {
  return effects
    .filter(({ declared }) => declared === null)
    .map(({ object, what, rows }) => {
      const count = rows === 0 ? '' : ` (${rows} ${rows === 1 ? 'row' : 'rows'})`;
      return `${does} ${object}: ${what}${count}; correct it, or declare static ${declaration} = ['${object.replace(/ \(.*/, '')}: why']`;
    });
}
