import { isNativeError } from 'node:util/types';
import { describeServerError } from '../session/describe-server-error.ts';
import { findSqlState } from '../session/find-sql-state.ts';
import type { Session } from '../session/session.ts';
import type { Precheck, Question, Scan, Unknown } from './rows/precheck.ts';
import { inSavepoint } from './rows/savepoint.ts';

/** The statement that scans are counted for. */
export interface Counted {
  readonly migration: string;
  readonly statement: number;
  /** Why rows may be added before it, so that nothing found proves nothing; null when none are. */
  readonly inserted: (oid: string) => string | null;
}

/** Counts what a scan asks for. An error of the query is a result: what can't be evaluated is unknown. */
export async function count(session: Session, counted: Counted, scan: Scan | Unknown): Promise<Precheck[]> {
  const { migration, statement } = counted;
  const base = { migration, statement, rows: null, of: null, isLowerBound: false, query: null, reason: null };
  const unknown = (questions: Unknown['questions'], reason: string): Precheck[] =>
    questions.map(({ kind, table, subject }) => ({
      ...base,
      kind,
      table,
      subject,
      outcome: 'unknown',
      reason,
    }));
  if ('reason' in scan) return unknown(scan.questions, scan.reason);
  try {
    const [row] = await inSavepoint(session, () => session.query<Record<string, string>>(scan.sql));
    return scan.questions.map((question, index) => {
      const { kind, table, subject, query } = question;
      const [rows, of] = [Number(row?.[`found${index}`]), Number(row?.['total'])];
      if (rows > 0) return { ...base, kind, table, subject, outcome: 'refused', rows, of, query };
      const reason = counted.inserted(question.oid);
      return {
        ...base,
        kind,
        table,
        subject,
        outcome: reason === null ? 'passed' : 'unknown',
        rows,
        of,
        reason,
      };
    });
  } catch (error) {
    if (scan.questions.length > 1) return countApart(session, counted, scan);
    const [question] = scan.questions;
    // Without rows it fails on its constants, such as a value of an enum that the run adds.
    if (question && evaluated.has(question.kind) && isDataError(error) && (await canPlan(session, scan.sql)))
      return [
        {
          ...base,
          kind: question.kind,
          table: question.table,
          subject: question.subject,
          outcome: 'refused',
          rows: 1,
          isLowerBound: true,
          reason: describeServerError(error, [scan.sql]),
        },
      ];
    return unknown(scan.questions, reasonOf(error, scan.sql));
  }
}

// The scan evaluates the same expression as the statement.
const evaluated: ReadonlySet<Question['kind']> = new Set(['conversions', 'violations']);

/** Whether a value could not be computed or converted: a data exception, or a domain that refuses it. */
function isDataError(error: unknown): boolean {
  return /^(?:22|23514)/.test(findSqlState(error));
}

/** Whether the server can plan a query, for which it evaluates constants, and no row. */
async function canPlan(session: Session, sql: string): Promise<boolean> {
  try {
    await inSavepoint(session, () => session.query(`explain ${sql}`));
    return true;
  } catch {
    return false;
  }
}

/** Returns why a query failed. */
export function reasonOf(error: unknown, sql: string): string {
  if (findSqlState(error) === '57014') return 'counting took too long';
  if (findSqlState(error) === '55P03') return 'the table is locked by another session';
  return isNativeError(error) ? describeServerError(error, [sql]) : String(error);
}

/** Counts each question by a query without the others, one of which can't be evaluated. */
async function countApart(session: Session, counted: Counted, scan: Scan): Promise<Precheck[]> {
  const found: Precheck[] = [];
  for (const [index, question] of scan.questions.entries()) {
    const sql = scan.separate?.[index];
    if (sql === undefined)
      found.push(
        ...(await count(session, counted, { questions: [question], reason: 'it can not be evaluated' })),
      );
    else found.push(...(await count(session, counted, { sql, questions: [question] })));
  }
  return found;
}
