import { Command } from 'commander';
import type { MigrationCondition, MigrationStatus } from '../../ledger/status.ts';
import { driftLines, driftNote } from '../../terminal/drift-lines.ts';
import { parkedLine } from '../../terminal/parked-line.ts';
import { replacedLine } from '../../terminal/replaced-line.ts';
import { dim, minuteOf, print, printJson, tableOfNames, wrapLine } from '../../terminal/output.ts';
import { readCertificates, type KeptCertificate } from '../../verify/certificate-file.ts';
import type { CommandHost, DatabaseLocation } from '../host/host.ts';

interface Given {
  readonly exitCode?: boolean;
  readonly json?: boolean;
  readonly certificates?: string;
}

interface Shown extends MigrationStatus {
  /** Absent where none is asked for. */
  readonly certificate?: string | null;
}

/** Returns the command `status`. */
export function statusCommand<P extends DatabaseLocation>(host: CommandHost<P>): Command {
  return new Command('status')
    .description('list the migrations, applied, pending and optional, and their problems')
    .option(
      '--exit-code',
      'exit with 3 when one is not applied or has a problem, or the schema differs from what the last run left',
    )
    .option('--certificates <file>', 'show what verify --certificate wrote to this file')
    .option(
      '--json',
      'print JSON: { database, migrations: [{ name, condition, appliedAt, duration, by, checksum, optional: why or null, certificate with --certificates, null without one or after an edit }], drift: { unknown: reason or null, differences: [{ object, part, fact, expected, found }], notCompared: reason if a part was not }, parked: [{ table, column or null, since }], replaced: [{ table, column, by }] }',
    )
    .action(({ json = false, exitCode = false, certificates: file }: Given) =>
      host.withDatabase(async (orm, place) => {
        const { Migrator } = await import('../../migrator.ts');
        const certificates = file === undefined ? null : await readCertificates(file);
        const migrator = new Migrator(orm);
        const [found, drift] = [await migrator.status(), await migrator.drift()];
        const migrations = certificates
          ? found.map((one) => ({ ...one, certificate: certificateOf(one, certificates.get(one.name)) }))
          : found;
        const [parked, replaced] = [await migrator.parked(), await migrator.replaced()];
        const { differences } = drift;
        if (
          exitCode &&
          (differences.length > 0 ||
            migrations.some(({ condition }) => condition !== 'applied' && condition !== 'optional'))
        )
          process.exitCode = 3;
        if (json) return printJson({ database: place.database, migrations, drift, parked, replaced });
        print(host.describe(place));
        const titles = ['migration', 'state', 'applied at', 'took', ...(certificates ? ['certificate'] : [])];
        print(tableOfNames(titles, migrations.map(row), 0));
        for (const line of summaryOf(migrations)) print(wrapLine(line));
        for (const one of parked) print(wrapLine(`Kept: ${parkedLine(one)}; \`purge\` drops it.`));
        for (const one of replaced) print(wrapLine(host.formatMessage(replacedLine(one))));
        if (differences.length > 0) for (const line of driftLines(differences)) print(wrapLine(line));
        const note = driftNote(drift);
        // Nothing is recorded of a database that no run has changed.
        if (note !== null && migrations.some(({ appliedAt }) => appliedAt !== null))
          print(dim(wrapLine(note)));
      }),
    );
}

/** Returns the certificate of a migration; null without one, and of one whose SQL was another when it was verified. */
function certificateOf({ checksum }: MigrationStatus, kept: KeptCertificate | undefined): string | null {
  if (!kept) return null;
  const isOther = checksum !== null && kept.checksum !== null && checksum !== kept.checksum;
  return isOther ? null : kept.certificate;
}

function row({ name, condition, appliedAt, duration, certificate }: Shown): string[] {
  return [
    name,
    condition,
    appliedAt === null ? '' : minuteOf(appliedAt),
    duration === null ? '' : `${duration} ms`,
    ...(certificate === undefined ? [] : [certificate ?? 'none']),
  ];
}

const explanations: Readonly<Partial<Record<MigrationCondition, string>>> = {
  edited:
    'edited: the text differs from that which was applied; `up` compares the SQL, and `repair accept` takes the file as it is',
  missing: 'missing: applied, but the code does not have it',
  ahead: 'ahead: applied, and newer than this code',
  late: 'late: pending, but older than an applied one',
  unfinished: 'unfinished: interrupted; the next `up` or `down` resumes it',
  takeover: 'takeover: applied as the ones that it replaces; `up` records that',
  blocked: 'blocked: a squash that can neither run nor take over; `up` says why',
  duplicate: 'duplicate: several rows in the log',
};

/** Returns an explanation of each condition that needs one, and the current, the next, and the number of pending migrations. */
function summaryOf(migrations: readonly MigrationStatus[]): string[] {
  const found = new Set(migrations.map(({ condition }) => condition));
  const waiting = migrations.filter(
    ({ appliedAt, condition }) => appliedAt === null && condition !== 'optional',
  );
  const optional = migrations.filter(({ condition }) => condition === 'optional');
  const current = migrations.findLast(({ appliedAt }) => appliedAt !== null);
  const next = waiting[0] === undefined ? '' : `, next ${waiting[0].name}`;
  return [
    ...[...found].flatMap((condition) => explanations[condition] ?? []),
    ...optional.map(
      ({ name, optional: why }) => `optional: ${name}: ${why}; \`up --optional ${name}\` applies it`,
    ),
    `Current ${current ? current.name : 'none'}${next}, ${waiting.length} pending.`,
  ];
}
