import { print, tableOfNames, wrapLine } from '../../terminal/output.ts';
import type { Certificate } from '../../verify/certificate.ts';
import {
  isStalled,
  type DirectionTraffic,
  type TrafficFailure,
  type TrafficReport,
} from '../../verify/traffic-report.ts';

/** Prints what became of the requests that were sent while migrations were applied and reverted. */
export function printTraffic(certificates: readonly Certificate[]): void {
  const reports = certificates.flatMap(({ migration, traffic }) => (traffic ? [{ migration, traffic }] : []));
  if (reports.length === 0) return;
  print();
  print(
    tableOfNames(
      ['traffic', 'migration', 'requests', 'failed', 'retried', 'worst stall'],
      reports.flatMap(({ migration, traffic: { up, down } }) =>
        [{ name: 'up', figures: up }, ...(down ? [{ name: 'down', figures: down }] : [])].map(
          ({ name, figures }) => [
            name,
            migration,
            String(figures.requests),
            String(figures.failed),
            String(Object.values(figures.retried).reduce((sum, one) => sum + one, 0)),
            `${figures.worstStallMs} ms`,
          ],
        ),
      ),
      1,
    ),
  );
  for (const { migration, traffic } of reports)
    for (const line of linesOf(traffic)) print(wrapLine(`  ${migration}: ${line}`));
}

/** Returns what has to be changed, or known. */
function linesOf({ up, down, failures, assumed, notCovered }: TrafficReport): string[] {
  return [
    ...failures.filter(({ declared }) => declared === null).map(describeFailure),
    ...stallLines('up', up),
    ...(down ? stallLines('down', down) : []),
    ...assumed.map((text) => `assumed that the old code does not use ${text}`),
    ...(notCovered.length > 0 ? [`no request could be made: ${notCovered.join(', ')}`] : []),
  ];
}

function describeFailure({ code, during, object, what, requests }: TrafficFailure): string {
  if (code === 'migration') return `${during} fails under traffic: ${what}`;
  const count = `${requests} ${requests === 1 ? 'request' : 'requests'}`;
  return `during ${during}, ${code} code fails at ${object}, ${what}, ${count}; ${remedyOf(what, object)}`;
}

function remedyOf(what: string, object: string): string {
  if (/\(42(?:703|P01)\)$/.test(what))
    return `keep it while code uses it, or declare static loses = ['${object}: why no code does']`;
  if (/\((?:2[23]|44)\w{3}\)$/.test(what) || / P0\w{3}$/.test(what))
    return `accept what the code writes, or declare static refuses = ['${object}: why no code does']`;
  return 'let both builds use it at once';
}

function stallLines(direction: string, figures: DirectionTraffic): string[] {
  if (!isStalled(figures)) return [];
  const { worstStallMs, stallLimitMs } = figures;
  return [
    `during ${direction}, a request waited ${worstStallMs} ms, and the limit is ${stallLimitMs} ms, the lock timeout and 100 ms; see \`lint\` for what is locked`,
  ];
}
