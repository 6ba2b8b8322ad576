import type { MigratedDatabase } from '../catalog/migrated-database.ts';
import type { Finding, LintReport } from '../lint/observation/finding.ts';
import type { Measurement } from '../measure/measurement.ts';
import { measureMigrations } from '../verify/measure-migrations.ts';

/** Adds to each finding about a lock for how long it is held on `rows` generated rows in each table that the migration touches. */
export async function withHeldTimes(
  migrated: MigratedDatabase,
  report: LintReport,
  { order, rows }: { readonly order: readonly string[]; readonly rows: number },
): Promise<LintReport> {
  const locking = [...report.findings, ...report.silenced].filter(({ lock }) => lock !== null);
  const names = [...new Set(locking.map(({ migration }) => migration))];
  if (names.length === 0) return report;
  const measured = await measureMigrations(migrated, { names, order, rows });
  const add = <T extends Finding>(finding: T): T => {
    const heldMs = heldTime(finding, measured.get(finding.migration));
    return heldMs === null ? finding : { ...finding, measured: { rows, heldMs } };
  };
  return { ...report, findings: report.findings.map(add), silenced: report.silenced.map(add) };
}

/** Returns how long the lock of a finding was held; null where it was not seen. */
function heldTime(
  { direction, statement, table, lock }: Finding,
  measurement: Measurement | undefined,
): number | null {
  if (lock === null || table === null) return null;
  // An earlier statement of the transaction may hold it already.
  const locks = (measurement?.statements ?? [])
    .filter((one) => one.direction === direction && (statement === null || one.statement <= statement))
    .flatMap((one) => one.locks.filter((held) => held.table === table));
  return locks.at(-1)?.heldMs ?? null;
}
